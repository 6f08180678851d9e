"""The schema of events: a format on disk, hence what may never change of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.events import schema
from angarium.events.schema import (
    EVENTS,
    Delivery,
    Discard,
    Event,
    EventError,
    Heartbeat,
    Imported,
    PermanentFailure,
    Reception,
    Rejection,
    ServerEvent,
    Transfer,
    TransientFailure,
    decode,
    encode,
    number_of,
)

# Number and fields of every event as first released; a row is never edited.
ATTEMPT = "at id batch connection attempt rcpt sender domain"
VARIABLES = "conn_vars mess_vars"
BOUND = "group binding received_at"
RELEASED = {
    Reception: (
        1,
        "at id batch connection rcpt sender domain source size protocol pathway group binding",
    ),
    Delivery: (2, f"{ATTEMPT} size {BOUND} remote reply"),
    TransientFailure: (
        3,
        f"{ATTEMPT} bytes_sent size {BOUND} remote stage reason due classification",
    ),
    PermanentFailure: (
        4,
        f"{ATTEMPT} bytes_sent size {BOUND} remote stage reason classification kind",
    ),
    Transfer: (5, f"{ATTEMPT} size {BOUND} remote reply"),
    Discard: (6, f"{ATTEMPT} size {BOUND} reason"),
    Rejection: (
        7,
        f"at remote local connection pathway pathway_group phase code module {VARIABLES} text",
    ),
    Heartbeat: (8, "at"),
    ServerEvent: (9, "at kind text generation"),
    Imported: (10, "at id before result source"),
}
# What the spool of the first release wrote, for ever readable.
SAMPLE = bytes.fromhex(
    "9e01cb41d954fc4007e6b4cf6543210000000123cf6543210000000122cf6543210000000001af626f62406578616d"
    "706c652e636f6db5696e666f40706f7374616c656e67696e652e636f6dab6578616d706c652e636f6dad31302e302e"
    "312e313a34343535cd2800a565736d7470a764656661756c74a764656661756c74a764656661756c74"
)

texts = st.text(max_size=20)
times = st.floats(min_value=0, max_value=2**40)
ids = st.integers(min_value=0, max_value=2**64 - 1)
OF_TYPE = {
    float: times,
    int: ids,
    str: texts,
    dict[str, str]: st.dictionaries(texts, texts, max_size=3),
}


def values(field: msgspec.structs.FieldInfo) -> st.SearchStrategy[object]:
    return OF_TYPE[field.type.__origin__]  # below the Annotated


events = st.one_of(
    [
        st.builds(cls, **{field.name: values(field) for field in msgspec.structs.fields(cls)})
        for cls in EVENTS.values()
    ]
)


@given(events)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert decode(encode(event)) == event


def outcome(octets: bytes) -> object:
    """What decode makes of octets: the class of an event, or of the error."""
    try:
        return type(decode(octets))
    except EventError as error:
        return type(error)


@given(events, st.data())
def test_a_damaged_event_is_an_event_or_the_one_error(event: Event, data: st.DataObject) -> None:
    octets = bytearray(encode(event))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    assert outcome(bytes(octets)) in {*EVENTS.values(), EventError}


@given(st.binary(max_size=40))
def test_any_octets_are_an_event_or_the_one_error(octets: bytes) -> None:
    assert outcome(octets) in {*EVENTS.values(), EventError}


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.__name__)
def test_numbers_and_fields_are_only_appended(cls: type[Event]) -> None:
    number, fields = RELEASED[cls]
    assert number_of(cls) == number
    assert " ".join(cls.__struct_fields__).startswith(fields)
    appended = cls.__struct_fields__[len(fields.split()) :]
    assert len(appended) <= len(cls.__struct_defaults__)


def test_what_the_first_release_wrote_can_be_read() -> None:
    assert decode(SAMPLE) == Reception(
        1700000000.123456,
        0x6543210000000123,
        0x6543210000000122,
        0x6543210000000001,
        "bob@example.com",
        "info@postalengine.com",
        "example.com",
        "10.0.1.1:4455",
        10240,
        "esmtp",
        "default",
        "default",
        "default",
    )


def test_an_older_reader_ignores_appended_fields() -> None:
    assert decode(msgspec.msgpack.encode([8, 5.0, "new", 7])) == Heartbeat(5.0)


def test_a_newer_reader_fills_in_missing_fields() -> None:
    assert decode(msgspec.msgpack.encode([9, 5.0, "started", "up"])) == ServerEvent(
        5.0, "started", "up", 0
    )


def test_an_event_of_a_later_version_is_the_one_error() -> None:
    with pytest.raises(EventError):
        decode(msgspec.msgpack.encode([99, 5.0]))


def test_a_deeply_nested_value_is_the_one_error() -> None:
    with pytest.raises(EventError):
        decode(b"\x93\x08" + b"\x91" * 100_000)


def test_text_that_is_no_utf8_is_written_with_question_marks() -> None:
    event = Rejection(
        1.0, "", "", 0, "", "", 0, 550, "core", {"ehlo\udcff": "x\udc80"}, {}, "no \ud800"
    )
    found = decode(encode(event))
    assert isinstance(found, Rejection)
    assert (found.text, found.conn_vars) == ("no ?", {"ehlo?": "x?"})


def test_every_event_and_field_has_a_text_for_the_manual() -> None:
    for cls in EVENTS.values():
        assert cls.__doc__
        for field in msgspec.structs.fields(cls):
            (meta,) = field.type.__metadata__
            assert meta.description, f"{cls.__name__}.{field.name}"


def test_an_event_knows_where_it_is_declared() -> None:
    assert EVENTS.place("Reception").file == schema.__file__
