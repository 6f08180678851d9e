"""The fields of a header, as signatures want them."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.canon import relaxed_field
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.format.header import Header, limits

RAW = b"junk\r\nA: 1\r\nB : two\r\n\t words\r\na:3\r\nC:4"


def test_fields_are_chosen_from_the_bottom() -> None:
    fields = Fields(RAW)
    assert fields.chosen([b"a", b"b", b"a", b"a", b"x"]) == [2, 1, 0, None, None]
    assert fields.count(b"a") == 2
    assert fields.rows(b"nobody") == ()


def test_a_field_is_given_as_it_is_and_canonical() -> None:
    fields = Fields(RAW)
    assert fields.octets(1) == b"B : two\r\n\t words\r\n"
    assert fields.value(1) == b" two\r\n\t words"
    assert fields.unfolded(1) == b"two\t words"
    assert fields.canonical(1, "relaxed") == b"b:two words\r\n"
    assert fields.canonical(1, "simple") == fields.octets(1)
    assert fields.octets(3) == b"C:4\r\n"
    rows = fields.chosen([b"c", b"a", b"a", b"a"])
    assert fields.signed(rows, "relaxed") == b"c:4\r\na:3\r\na:1\r\n"


@given(
    st.lists(
        st.sampled_from([b"a", b"B", b":", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\xff", b": "])
    ).map(b"".join)
)
def test_any_octets_have_the_fields_which_header_sees(raw: bytes) -> None:
    fields = Fields(raw)
    assert list(fields.names) == Header(raw).names
    places = [fields.place(row) for row in range(len(fields.names))]
    assert b"".join([raw[at:end] for at, end in places]) == raw[places[0][0] if places else len(raw):]  # noqa: E501  # fmt: skip
    for row in range(len(places)):
        name, value = fields.names[row], fields.octets(row).partition(b":")[2]
        assert fields.canonical(row, "relaxed") == relaxed_field(name, value) + b"\r\n"


@given(
    st.lists(st.sampled_from([b"a: b", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b"x"])).map(b"".join),
    st.integers(1, 9),
)
def test_a_message_is_parted_wherever_it_is_cut(octets: bytes, step: int) -> None:
    size, start = limits(octets)
    header, body = opened([octets[at : at + step] for at in range(0, len(octets), step)])
    assert header == octets[:size]
    assert b"".join(body) == octets[start:]


def test_a_header_without_end_is_cut_off() -> None:
    pieces = iter([b"A: " + b"x" * 100] * 50)
    header, body = opened(pieces, 1000)
    assert 1000 < len(header) < 1200
    assert len(header) + len(b"".join(body)) == 50 * 103
