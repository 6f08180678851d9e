"""Policies of MTA-STS which a worker knows, as commands find them."""

from pathlib import Path

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.net.tlspolicy.policies import Known, Policies
from angarium.net.tlspolicy.shelf import Kept, Shelf
from angarium.net.tlspolicy.sts import Mode, Policy
from helpers.dns import FakeDns

ENFORCE = Policy(Mode.ENFORCE, 86400, ("mx.a.test",))


class Web:
    """The web server of a.test; others have none."""

    async def policy(self, domain: str) -> Policy:
        if domain != "a.test":
            raise Error(f"mta-sts.{domain} cannot be asked")
        return ENFORCE


def policies(clock: Clock, folder: Path) -> Policies:
    """Return what a worker knows which has asked a.test 25 seconds ago."""
    dns = FakeDns("_mta-sts.a.test TXT v=STSv1; id=20190429T010101", clock)
    made = Policies(dns, Web, Shelf(folder / "mtasts"), clock, lambda *_: None, lambda _: None)
    kept = Kept("a.test", "20190429T010101", clock.time() - 25.0, tuple(ENFORCE.lines()))
    now = clock.monotonic()
    made._known["a.test"] = Known(kept, now + 185, "20190429T010101", now + 185)
    return made
