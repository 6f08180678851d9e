"""Contents with their recipients: as few as there are different ones."""

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.policy.mail import Mail
from angarium.policy.parcels import parcels


def mail(*names: str) -> Mail:
    message = Message("a@x.test", MemoryBody(b"Subject: x\r\n\r\ny\r\n"), batch=7)
    return Mail(message, [Recipient(f"{name}@y.test", "y.test") for name in names])


def named(made: object) -> list[list[str]]:
    return [[each.address[0] for each in recipients] for _, recipients in made]  # type: ignore[attr-defined]


def test_recipients_whose_mail_nobody_changed_share_a_content() -> None:
    whole = mail("a", "b", "c")
    kept = list(whole.each())
    kept[1].edited.prepend("X", "1")
    made = parcels(whole.message, kept)
    assert named(made) == [["a", "c"], ["b"]]
    assert made[0][0] is whole.message
    assert [message.batch for message, _ in made] == [7, 0]


def test_equal_copies_are_one_if_somebody_looks() -> None:
    whole = mail("a", "b", "c")
    kept = list(whole.each())
    for one, value in zip(kept, ("1", "2", "1"), strict=True):
        one.edited.prepend("X", value)
    assert named(parcels(whole.message, kept)) == [["a"], ["b"], ["c"]]
    kept = list(mail("a", "b", "c").each())
    for one, value in zip(kept, ("1", "2", "1"), strict=True):
        one.edited.prepend("X", value)
    made = parcels(whole.message, kept, compare=True)
    assert named(made) == [["a", "c"], ["b"]]
    assert [message.batch for message, _ in made] == [7, 0]


def test_of_nobody_nothing_is_left() -> None:
    assert parcels(mail("a").message, []) == []


def test_what_is_left_for_one_keeps_the_id_though_it_was_changed() -> None:
    whole = mail("a", "b")
    first, _ = whole.each()
    first.edited.prepend("X", "1")
    [(message, [recipient])] = parcels(whole.message, [first], compare=True)
    assert (message.batch, message.header, recipient.address) == (7, b"X: 1\r\n", "a@y.test")
    alone = mail("c").alone()
    alone.edited.prepend("X", "1")
    [(message, _)] = parcels(alone.message, [alone])
    assert (message, message.header) == (alone.message, b"X: 1\r\n")
