"""An answer as XML: made from the same plain data as its JSON, by one rule.

    {"name": value}    <name>value</name>       a name which XML does not have: <item name="...">
    [value, value]     <item>value</item> each
    null               an empty element with nil="true"
    true, false        words, as in JSON

All of it stands in <answer command="...">. What XML has no character for is a question mark.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FOREIGN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDENT: Final = "  "


def xml(command: str, plain: Any) -> str:
    """Return an answer as a document."""
    words = " ".join(command.split())
    lines = _element("answer", plain, f" command={quoteattr(_clean(words))}", "")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(lines) + "\n"


def _element(name: str, value: Any, attributes: str, indent: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        name, attributes = "item", f" name={quoteattr(_clean(name))}"
    opened = f"{indent}<{name}{attributes}"
    if isinstance(value, Mapping):
        inner = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        inner = [("item", each) for each in value]
    elif value is None:
        yield f'{opened} nil="true"/>'
        return
    else:
        yield f"{opened}>{escape(_clean(_word(value)))}</{name}>"
        return
    if not inner:
        yield f"{opened}/>"
        return
    yield f"{opened}>"
    for key, each in inner:
        yield from _element(key, each, "", indent + _INDENT)
    yield f"{indent}</{name}>"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _clean(text: str) -> str:
    return _FOREIGN.sub("?", text)
