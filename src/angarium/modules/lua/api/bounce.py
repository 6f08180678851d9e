"""msys.bounce: what a message that came back, or a reply, says of why mail was not taken."""

from angarium.mail.format.tree import tree
from angarium.mail.report.bounce import bounce_of
from angarium.mail.report.classify import classify_text
from angarium.mail.report.codes import CLASSES, UNDETERMINED, BounceClass
from angarium.modules.lua.api import kinds  # noqa: F401 - a message is a kind of object there
from angarium.modules.lua.bind import Several, lua
from angarium.policy.mail import Mail


def _known(code: int) -> BounceClass:
    return CLASSES.get(code) or CLASSES[UNDETERMINED]


@lua("msys.bounce.classify", since="3.1")
def classify(msg: Mail) -> Several:
    """Return what a message that came back says: a code, its name, its meaning, the recipient.

    The name is one such as BC_INVALID_RECIPIENT; BC_UNDETERMINED where nothing is known.
    """
    found = bounce_of(tree(msg.draft))
    known = _known(found.code)
    return Several(known.code, known.symbol, known.meaning, found.recipient)


@lua("msys.bounce.classify_smtp_response", since="3.1")
def classify_smtp_response(response_text: str, domain: str = "") -> Several:
    """Return what a reply of SMTP says: a code, its name and its meaning."""
    known = _known(classify_text(response_text))
    return Several(known.code, known.symbol, known.meaning)
