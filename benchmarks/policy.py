"""Reception with policy beside reception without, in alternating rounds of one run.

    python -m benchmarks.policy [POLICY ...] [--size 10] [--seconds 6] [--rounds 3] [--workers 1]

Delivery is suspended, so mail is taken in and stays. Policies are those of benchmarks/policies,
`limits` if none is named. Medians of the rounds; the ratio of neighbours is what counts.
"""

import subprocess
from pathlib import Path

from benchmarks.beside import given, wanted
from benchmarks.halves import SUSPENDED, Row, received
from benchmarks.peers import Angarium
from benchmarks.policies import stanza


def taken(folder: Path, kind: str, octets: int, workers: int, seconds: float) -> Row:
    """Return messages a second and the processor time of each."""
    scripts = folder / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    extra = SUSPENDED + stanza(kind, scripts)
    server = Angarium(folder / "server", workers=workers, extra=extra)
    try:
        server.start()
        return received(server, octets, seconds)[0]
    except subprocess.CalledProcessError:
        print((folder / "server" / "state" / "log" / "paniclog.ec").read_text("utf-8")[-2000:])
        raise
    finally:
        server.stop()


def main() -> None:
    args = wanted(__doc__, ["limits"])
    with given() as folder:
        rows = args.alternating(
            "none", lambda kind: taken(folder, kind, args.octets, args.workers, args.seconds)
        )
    args.tell(rows, lambda mine, none: mine[0] / none[0], ".2f")


if __name__ == "__main__":
    main()
