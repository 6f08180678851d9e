"""What a letter is made of: traits from the octets, a mark that names it everywhere."""

import re

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient, Trait
from angarium.queue.spool.letter import (
    Letter,
    Receiver,
    described,
    digest_of,
    mark_of,
    traits_of,
)


def of(octets: bytes) -> Trait:
    """Return the traits as their names say."""
    return Trait(
        (0 if octets.isascii() else Trait.EIGHT_BIT)
        | (Trait.DOTS if re.search(rb"(?:^|\r|\n)\.", octets) else 0)
        | (Trait.LONE if re.search(rb"\r(?!\n)|(?<!\r)\n", octets) else 0)
        | (Trait.NO_FINAL_CRLF if octets and not octets.endswith(b"\r\n") else 0)
    )


@given(st.lists(st.text("\r\n.aé", max_size=4).map(str.encode), max_size=6))
def test_traits_are_found_however_the_octets_are_cut(pieces: list[bytes]) -> None:
    assert traits_of(pieces, 0) == of(b"".join(pieces))


def test_only_what_the_octets_cannot_tell_is_believed() -> None:
    said = int(Trait.BINARY | Trait.SMTPUTF8 | Trait.DOTS | Trait.LONE)
    assert traits_of([b"x\r\n"], said) == Trait.BINARY | Trait.SMTPUTF8


def test_everything_the_codec_of_the_spool_keeps_is_known() -> None:
    message = Message("s@x.test", MemoryBody(b"hi"), priority=3, variables={"a": "b"})
    recipients = [Recipient(f"{n}@x.test", "x.test", binding=n) for n in "ab"]
    known, targets = described(message, recipients)
    assert (known.sender, known.priority, known.variables) == ("s@x.test", 3, {"a": "b"})
    assert [each.binding for each in targets] == ["a", "b"]


def test_a_mark_differs_by_content_sender_recipient_and_id() -> None:
    marks = set()
    for sender in ("a@x.test", "b@x.test"):
        for octets in (b"one", b"two"):
            message = Message(sender, MemoryBody(octets))
            recipients = [Recipient("r@x.test", "x.test"), Recipient("q@x.test", "x.test")]
            known, targets = described(message, recipients)
            for target in targets:
                for ident in (0, 7):
                    receiver = Receiver(target, ident)
                    letter = Letter(known, [receiver], lambda: iter(()), 3)
                    letter.digest = digest_of([octets])
                    marks.add(mark_of(letter, receiver))
    assert len(marks) == 16
