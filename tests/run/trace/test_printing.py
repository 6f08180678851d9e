"""Records for people, and as XML."""

import time
from xml.etree import ElementTree as ET

from angarium.run.trace import printing
from angarium.run.trace.records import Record

R = Record(
    "R", "5", 5.0, "id",
    {"local": "bob", "domain": "x", "sender_local": "", "sender_domain": "", "source": "ip"}, "",
)  # fmt: skip
P = Record("P", "5", 5.0, "id", {"domain": "x", "reason": 'no "such"\n\x1b[31m user'}, "")
REFUSAL = Record("", "5", 5.0, "c", {"remote": "ip"}, "", {"k": "<v\x01>"}, {"m": "\udcff"})


def test_a_line() -> None:
    assert printing.line(R, dates=False) == "5 reception id from=<> to=<bob@x> source=ip"
    assert printing.line(R, dates=True).startswith(time.ctime(5.0) + " reception")


def test_no_control_character_reaches_a_terminal() -> None:
    assert printing.line(P, dates=False) == (
        '5 permanent id domain=x reason="no \\"such\\"\\n\\x1b[31m user"'
    )
    assert all(each.isprintable() for each in printing.details(REFUSAL, dates=False))
    assert printing.value("") == '""'


def test_xml_can_be_read() -> None:
    element = ET.Element("none")
    for each in (R, P, REFUSAL):
        element = ET.fromstring("\n".join(printing.xml(each, dates=False)))
        assert element.tag == each.name
        assert element.get("time") == "5"
    assert element.findtext("connection") == "<v\ufffd>"
    assert element.find("message").get("name") == "m"  # type: ignore[union-attr]
