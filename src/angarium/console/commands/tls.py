"""`tls`: what connections to our listeners are made secure by."""

from collections.abc import Mapping

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.questions.tls import Known, contexts, renew
from angarium.console.result import Result, Said
from angarium.console.session import Session

NO_KEY = "Temp RSA key is uncached."  # Momentum's line; TLS has no such key any more


@command("tls show cache", who=Rank.VIEWER)
async def show(session: Session) -> Result:
    """Print the contexts of TLS of listeners: age, sessions, certificate, authorities, ciphers."""
    answers = await session.node.ask(contexts())
    rows: Mapping[str, Known] = answers.total.rows if answers.total else {}
    found = [row for _, row in sorted(rows.items())]
    lines: list[str] = []
    for number, row in enumerate(found, 1):
        lines += [
            f"{number:4}) server context",
            f"{'age':>15}: {row.seconds:.0f} seconds old",
            f"{'in use by':>15}: {row.sessions} sessions",
            f"{'certificate':>15}: {row.certificate}",
            f"{'ca list':>15}: {row.authorities or 'none'}",
            f"{'ciphers':>15}: {'default' if row.ciphers == 'DEFAULT' else row.ciphers}",
        ]
    plain = {"contexts": [msgspec.to_builtins(row) for row in found]}
    return Said("\n".join([*lines, NO_KEY, *answers.missing]), plain)


@command("tls flush cache", who=Rank.OPERATOR)
async def flush(session: Session) -> Result:
    """Read certificates and keys again. What cannot be used stays as it was, and is named."""
    answers = await session.node.ask(renew())
    kept = answers.total.kept if answers.total else ()
    plain = {"made": answers.total.made if answers.total else 0, "kept": list(kept)}
    return Said("\n".join(["Cache flush request submitted.", *kept, *answers.missing]), plain)
