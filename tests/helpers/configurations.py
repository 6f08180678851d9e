"""Configurations made at random from all that is declared, and the files we ship."""

from pathlib import Path

from hypothesis import strategies as st

from angarium.config import sample
from angarium.config.check import Checked
from angarium.config.describe import options_of
from angarium.config.load import check, declarations
from angarium.config.scope import STANZAS, TOP, Naming, StanzaKind, stanza_in, stanzas_in
from angarium.config.tree import Snapshot

declarations()

ROOT = Path(__file__).parent.parent.parent
SHIPPED = sorted([*ROOT.glob("etc/*/ecelerity.conf"), *ROOT.glob("examples/**/ecelerity.conf")])
# Names of instances, by the key of the stanza; of others any of PLAIN.
NAMES = {
    "domain": ("a.example", "/[.]example$/", "/(?:^|[.])b[.]test\\z/"),
    "host": ("mx.a.example", "/^mx/"),
    "listen": (":25", "[::1]:25", "/tmp/socket"),
    "peer": ("192.0.2.0/24", "::1"),
}
PLAIN = ("one", "Two-2", "thr_ee")
OWN_PLAIN = (*PLAIN, 'a "b" \\c', "x y", "#", "é")


@st.composite
def stanzas(draw: st.DrawFn, kind: StanzaKind = TOP, depth: int = 3) -> str:
    """Return the inside of a stanza: some options, and some stanzas in it."""
    options = [each for each in options_of(kind) if sample.value(each)]
    lines = []
    if options:
        chosen = draw(st.lists(st.sampled_from(options), max_size=4))
        lines += [f"{each.name} = {sample.value(each)}" for each in chosen]
    inner = stanzas_in(kind)
    if inner and depth:
        for name in draw(st.lists(st.sampled_from(inner), max_size=3)):
            below = stanza_in(kind, name)
            assert below is not None
            inside = draw(stanzas(below, depth - 1))
            lines.append(f"{name} {_name(draw, below)}{{\n{inside}\n}}")
    return "\n".join(lines)


def _name(draw: st.DrawFn, kind: StanzaKind) -> str:
    if kind.naming is Naming.NEVER or (kind.naming is Naming.MAYBE and draw(st.booleans())):
        return ""
    own = kind.key not in NAMES and not kind.patterns and kind.key not in SCOPED
    name = draw(st.sampled_from(NAMES.get(kind.key, OWN_PLAIN if own else PLAIN)))
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '


SCOPED = frozenset(each.key for each in STANZAS.values() if each.scope.name != "OWN")


def checked(text: str) -> Checked:
    """Return what a text means, whatever its faults are."""
    octets = text.encode("utf-8", "surrogateescape")
    return check("ecelerity.conf", Snapshot("ecelerity.conf", (), {"ecelerity.conf": octets}, {}))
