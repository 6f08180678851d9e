"""Names which manuals of Momentum have and this server refuses, and why.

They are no options here: what they ask for is another product's, or another form has taken their
place, so that nothing could be done with a value. Who brings a file with one is told so, and what
to do; a typing error gets the nearest name instead.
"""

from typing import Final

_MOBILE: Final = (
    "it belongs to Momentum's product for telephones (SMPP, MM7, XMPP), which is not part of this "
    "server; without it the mail would go to the mail servers of the domain"
)

# The beginning of a name, and the reason.
OPTIONS: Final = {
    "smpp_": _MOBILE,
    "mm7_": _MOBILE,
    "hook:": 'a hook is a stanza; write hook "NAME" { ... }',
}
# A name, and the stanza it stands in.
MOVED: Final = {
    ("binding_group", "binding"): "version 3 ended it; put the binding into a binding_group stanza",
}
STANZAS: Final = {
    "mstore": _MOBILE,
    "xmpp_logger": _MOBILE,
}


def why_no_option(name: str, stanza: str) -> str:
    """Return why there is no such option, "" if nothing is known of it."""
    moved = MOVED.get((name, stanza))
    if moved is not None:
        return moved
    return next((why for prefix, why in OPTIONS.items() if name.startswith(prefix)), "")


def why_no_stanza(name: str) -> str:
    """Return why there is no such stanza, "" if nothing is known of it."""
    return STANZAS.get(name, "")
