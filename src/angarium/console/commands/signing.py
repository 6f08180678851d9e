"""`signing_stats`: how signing has fared, in all, by domain, by binding and by both.

A domain is the one mail goes to. What was counted before the last start, and by workers which have
left, is known of bindings and of the whole; so is what goes to more domains than are kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.questions.signing import begin_anew, signed
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.events.signing import BETWEEN, KINDS, Signed

MOST: Final = 1000  # domains which are printed, of all and of each binding: those with most mail
_STEP: Final = " " * 8
Rows = Mapping[tuple[str, str, str], Signed]
Kinds = Mapping[str, Signed]


@command("signing_stats", who=Rank.VIEWER)
async def signing_stats(session: Session) -> Result:
    """Print what was signed by DKIM and DomainKeys: in all, by domain and by binding.

    AccumulatedSigningTime is in seconds, from when a message comes to who signs it until it has its
    signature; to wait for a thread counts. TotalMessagesProcessed counts those, too, which are not
    to be signed, for their author or a condition; FailedSigningAttempts those without a good key.
    Each recipient is a message here, and each stanza which signs looks at it.
    """
    answers = await session.node.ask(signed())
    rows = dict(answers.total.rows) if answers.total else {}
    for place, row in session.node.statistics.gone.signed.items():
        key = f"{place}{BETWEEN}"
        rows[key] = rows[key] + row if key in rows else row
    known = {_parted(key): row for key, row in rows.items()}
    lines = ["Signing Statistics", "", "Global", *_kinds(_sum(known.items()), 1)]
    lines += ["Per Domain", *_domains(known, 1)]
    lines.append("Per Binding")
    bindings = sorted({binding for _, binding, _ in known if binding})
    for binding in bindings:
        of = {key: row for key, row in known.items() if key[1] == binding}
        lines.append(f"{_STEP}binding_name {binding}")
        lines += _kinds(_sum(of.items()), 1)
        lines += [f"{_STEP}Per Binding Per Domain", *_domains(of, 1)]
    plain = {
        "rows": [
            {"kind": kind, "binding": binding, "domain": domain, **_fields(row)}
            for (kind, binding, domain), row in sorted(known.items())
        ],
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("signing_stats reset", who=Rank.OPERATOR)
async def reset(session: Session) -> Result:
    """Let the figures of signing_stats begin anew."""
    answers = await session.node.ask(begin_anew())
    session.node.forget_signed()
    lines = ["Signing Statistics are reset", *answers.missing]
    return Said("\n".join(lines), {"reset": True, "missing": answers.missing})


def _parted(key: str) -> tuple[str, str, str]:
    kind, binding, domain = key.split(BETWEEN)
    return kind, binding, domain


def _sum(rows: Iterable[tuple[tuple[str, str, str], Signed]]) -> Kinds:
    """Return the sum of each kind; of those which nobody signs by there is none."""
    found: dict[str, Signed] = {}
    for (kind, _, _), row in rows:
        found[kind] = found.get(kind, Signed()) + row
    return found


def _domains(rows: Rows, depth: int) -> Iterator[str]:
    """Yield the lines of each domain."""
    of: dict[str, dict[str, Signed]] = {}
    for (kind, _, domain), row in rows.items():
        if domain:
            kinds = of.setdefault(domain, {})
            kinds[kind] = kinds.get(kind, Signed()) + row

    def most(domain: str) -> tuple[int, str]:
        return -max(row.processed for row in of[domain].values()), domain

    chosen = sorted(of, key=most)[:MOST]
    for domain in sorted(chosen):
        yield f"{_STEP * depth}DomainName {domain}"
        yield from _kinds(of[domain], depth)
    if len(of) > MOST:
        yield f"{_STEP * depth}and {len(of) - MOST} more domains"


def _kinds(rows: Kinds, depth: int) -> Iterator[str]:
    for kind in KINDS:
        if kind in rows:
            yield f"{_STEP * depth}{kind}"
            for name, value in _fields(rows[kind]).items():
                text = f"{value:10.4f}" if isinstance(value, float) else f"{value:10}"
                yield f"{_STEP * (depth + 1)}{name:<22}{text}"


def _fields(row: Signed) -> dict[str, Any]:
    seconds, count, failed, processed = msgspec.structs.astuple(row)
    return {
        "AccumulatedSigningTime": float(seconds),
        "TotalMessagesSigned": count,
        "FailedSigningAttempts": failed,
        "TotalMessagesProcessed": processed,
    }
