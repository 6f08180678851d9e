"""Lines of logs read back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.events import format as lines
from angarium.events.schema import Rejection
from angarium.run.trace.records import FIELDS, parse, seconds, unescaped, variables

R = (
    "1064868656@00/00-25004-31B987F3@00/00-03736-F4101B54@00/00-04532-A3456B54@R@bob@example.fict"
    "@info@postalengine.com@10.0.1.1@201@esmtp@default@default"
)
T = (
    "1064869327@00/00-25593-CBD987F3@00/00-03736-F4101B54@00/00-04532-A3456B54@T@example.fict@0"
    "@group-a@binding-a@15@0@18.53@10.0.0.1@421 no <a@b> here"
)
REJECTION = (
    '1236672125: R="10.79.25.142:42601" L="10.79.25.142:25" C="18/00-07149-D7E16B94"'
    ' PATH="default" PATH_GRP="default" P="awaiting mailfrom" E=550 M=scriptlet'
    ' CTXCONN=[pathway=default,ehlo_string="EHLO rh52,node1",ehlo_domain=rh52-node1]'
    ' CTXMESS=[mailfrom_domain=,mailfrom_string="MAIL FROM:<>",x="a]\\"b"] relaying denied'
)


def test_a_reception() -> None:
    record = parse(R)
    assert record is not None
    assert (record.name, record.at, record.ident) == (
        "reception", 1064868656.0, "00/00-25004-31B987F3",
    )  # fmt: skip
    assert (record.sender, record.recipient) == ("info@postalengine.com", "bob@example.fict")
    assert record.fields["source"] == "10.0.1.1"
    assert record.fields["binding"] == "default"


def test_the_reason_of_a_failure_has_its_at_signs() -> None:
    record = parse(T)
    assert record is not None
    assert record.fields["reason"] == "421 no <a@b> here"
    assert record.fields["destination"] == "10.0.0.1"


def test_an_old_line_may_have_fewer_fields() -> None:
    record = parse("1@a@b@c@R@bob@x@me@y@10.0.0.1@5@esmtp")
    assert record is not None
    assert "binding" not in record.fields


def test_a_refusal() -> None:
    record = parse(REJECTION)
    assert record is not None
    assert record.name == "rejection"
    assert record.fields["phase"] == "awaiting mailfrom"
    assert record.fields["reason"] == "relaying denied"
    assert record.conn["ehlo_string"] == "EHLO rh52,node1"
    assert record.mess == {
        "mailfrom_domain": "", "mailfrom_string": "MAIL FROM:<>", "x": 'a]"b',
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "1251470342@@@@M", "1252064908: Marker 1", "x@a@b@c@R@d", "1@2@3", "1@a@b@c@Z@d", "\udcff",
     "1@\udcff@b@c@D@x", '12: R="unended', "9" * 400 + "@a@b@c@D@x"],
)  # fmt: skip
def test_what_is_no_record(text: str) -> None:
    assert parse(text) is None


texts = st.text(alphabet=st.sampled_from('a@\\ "],[=\n\r\t\x01ü\u2028:'), max_size=12)


@given(st.lists(texts, min_size=9, max_size=9), st.sampled_from("RT"))
def test_what_was_written_is_read(values: list[str], code: str) -> None:
    written = lines.line(("12", "id", "batch", "conn", code, *values)).decode()
    record = parse(written)
    assert record is not None
    found = list(record.fields.values())
    assert found[:-1] == values[:-1]
    assert found[-1] == values[-1]
    assert list(record.fields) == list(FIELDS[code])


# The writer leaves = in a name as it is: which of two it is cannot be told.
@given(st.dictionaries(texts.filter(lambda name: "=" not in name), texts, max_size=4), texts)
def test_a_refusal_that_was_written_is_read(said: dict[str, str], text: str) -> None:
    event = Rejection(1.0, text, text, 1, text, text, 0, 550, text, said, said, text)
    record = parse(lines.rejection(event, "12"))
    assert record is not None
    assert record.conn == record.mess == said
    assert record.fields["reason"] == text
    assert record.fields["remote"] == text


def test_times_of_both_kinds() -> None:
    assert seconds("1064868656") == 1064868656.0
    assert seconds("1064868656123456") == 1064868656.123456
    assert seconds("-1") is seconds("") is seconds("1.5") is None


def test_escapes() -> None:
    assert unescaped(r"a\@b\\c\x01\u2028\n") == "a@b\\c\x01\u2028\n"
    assert variables("") == {}


@pytest.mark.parametrize("piece", ["@", "\\", '"', "[", ",", "=", '="', 'R="\\'])
def test_a_hostile_line_takes_linear_time(piece: str) -> None:
    begun = time.process_time()
    parse("1@a@b@c@R@" + piece * 300_000)
    parse('1: R="' + piece * 300_000)
    parse(REJECTION.replace("pathway=default", piece * 300_000))
    variables(piece * 300_000)
    assert time.process_time() - begun < 5.0
