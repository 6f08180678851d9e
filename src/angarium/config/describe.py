"""One description of an option, for the manual, the console, the schema and the forms.

What is said of an option anywhere comes from here, so that it is the same everywhere.
"""

from dataclasses import dataclass
from typing import Any

from angarium.config.check import scope_names
from angarium.config.option import OPTIONS, Option
from angarium.config.scope import STANZAS, TOP, Scope, StanzaKind
from angarium.config.spelling import secret, spelled


@dataclass(frozen=True, slots=True)
class Description:
    """An option in words. `default` is as it is written in a file; "" if there is none."""

    key: str
    name: str
    scopes: tuple[str, ...]
    kind: str
    default: str
    unset: tuple[tuple[str, str], ...]  # scopes which do not fall back, and their value
    direction: str
    dynamic: bool
    since: str
    state: str
    reason: str
    doc: str


def describe(declared: Option[Any]) -> Description:
    """Return the description of an option."""
    # That of a secret is shown too: what stands in the manual is none.
    default = (
        "" if declared.default in (None, "") else spelled(declared, declared.default, secrets=True)
    )
    return Description(
        key=declared.key,
        name=declared.name,
        scopes=tuple(scope_names(declared)),
        kind=str(declared.kind),
        default=default,
        unset=tuple(
            (scope.name.lower(), text(declared, value))
            for scope, value in declared.unset.items()
            if scope.name is not None
        ),
        direction=declared.direction or "na",
        dynamic=declared.dynamic,
        since=declared.since,
        state=declared.state.value,
        reason=_reason(declared),
        doc=" ".join(declared.doc.split()),
    )


def _reason(declared: Option[Any]) -> str:
    """Return the reason of an option's state; first, of what protects somebody, what is refused."""
    reason = " ".join(declared.reason.split())
    if declared.safe is None:
        return reason
    safe = " and ".join(spelled(declared, each) for each in declared.safe if each is not None)
    refused = f"Any value but {safe} refuses the file." if safe else "A file with it is refused."
    return f"{refused} {reason}".rstrip()


def text(declared: Option[Any], value: object) -> str:
    """Return a value as it is written in a file; secrets are not shown."""
    if value is None or value == "" and not secret(declared):
        return ""
    return spelled(declared, value)


def options_of(kind: StanzaKind) -> list[Option[Any]]:
    """Return the options which may stand in a stanza, by name."""
    if kind.scope is Scope.OWN:
        found = [each for each in OPTIONS.values() if each.stanza == kind.key]
    else:
        found = [each for each in OPTIONS.values() if not each.stanza and kind.scope in each.scopes]
    return sorted(found, key=lambda each: each.name)


def stanza_kinds() -> list[StanzaKind]:
    """Return all stanzas, the file itself first."""
    return [TOP, *STANZAS.values()]
