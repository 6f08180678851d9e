"""`tls`: what connections to our listeners are made secure by."""

from collections.abc import Iterable
from functools import reduce
from operator import add

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.questions.tls import (
    WEB,
    Known,
    contexts,
    contexts_of_clients,
    contexts_of_http,
    renew,
    renew_of_http,
)
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.console.sums import Table

NO_KEY = "Temp RSA key is uncached."  # Momentum's line; TLS has no such key any more


@command("tls show cache", who=Rank.VIEWER)
async def show(session: Session) -> Result:
    """Print the contexts of TLS, of listeners and to hosts: age, users, certificate, ciphers."""
    answers = await session.node.ask(contexts())
    clients = await session.node.ask(contexts_of_clients())
    web = await session.node.ask(contexts_of_http(), only=WEB)
    tables = [*answers.each.values(), *web.each.values()]
    found = [("server", row) for row in _sorted(tables)]
    found += [("client", row) for row in _sorted(clients.each.values())]
    lines: list[str] = []
    for number, (kind, row) in enumerate(found, 1):
        lines += [
            f"{number:4}) {kind} context",
            f"{'age':>15}: {row.seconds:.0f} seconds old",
            f"{'in use by':>15}: {row.sessions} sessions",
            f"{'certificate':>15}: {row.certificate}",
            f"{'ca list':>15}: {row.authorities or 'none'}",
            f"{'ciphers':>15}: {'default' if row.ciphers == 'DEFAULT' else row.ciphers}",
        ]
    plain = {"contexts": [{"kind": kind, **msgspec.to_builtins(row)} for kind, row in found]}
    return Said("\n".join([*lines, NO_KEY, *answers.missing, *web.missing]), plain)


def _sorted(tables: Iterable[Table[Known]]) -> list[Known]:
    rows = reduce(add, tables, Table[Known]()).rows
    return [row for _, row in sorted(rows.items())]


@command("tls flush cache", who=Rank.OPERATOR)
async def flush(session: Session) -> Result:
    """Read certificates and keys again. What cannot be used stays as it was, and is named."""
    workers = await session.node.ask(renew())
    web = await session.node.ask(renew_of_http(), only=WEB)
    totals = [each.total for each in (workers, web) if each.total]
    kept = list(dict.fromkeys(each for total in totals for each in total.kept))
    plain = {"made": sum(each.made for each in totals), "kept": kept}
    lines = ["Cache flush request submitted.", *kept, *workers.missing, *web.missing]
    return Said("\n".join(lines), plain)
