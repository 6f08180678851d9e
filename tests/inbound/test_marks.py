"""Priority and fairness key of a message come from where the options say, and from nowhere else."""

import pytest

from angarium.core.message import Message
from helpers.reception import Desk

KEYED = "fairness_key = ( header:X-Campaign sender_domain client )\n"


def received(options: str, fields: str = "", sender: str = "bob@News.example") -> Message:
    desk = Desk(options)
    content = f"Subject: x\r\n{fields}\r\nbody\r\n".encode()
    assert desk.greeted().deliver(content, sender=sender).startswith("250")
    return desk.message


@pytest.mark.parametrize(
    ("fields", "sender", "key"),
    [
        ("X-Campaign: spring sale\r\n", "bob@news.example", "spring sale"),
        ("x-campaign:  folded\r\n  name \r\n", "bob@news.example", "folded  name"),
        ("X-Campaign: \r\n", "bob@News.example", "news.example"),
        ("", "bob@news.example", "news.example"),
        ("", "", "192.0.2.9"),
        ("X-Campaign: one\r\nX-Campaign: two\r\n", "bob@news.example", "one"),
        ("X-Campaign: " + 300 * "k" + "\r\n", "bob@news.example", 128 * "k"),
    ],
)
def test_the_first_source_which_gives_something_is_the_key(
    fields: str, sender: str, key: str
) -> None:
    assert received(KEYED, fields, sender).fairness_key == key


def test_a_sender_is_one_key_however_it_is_written() -> None:
    assert received("fairness_key = sender\n").fairness_key == "bob@news.example"


@pytest.mark.parametrize(
    ("value", "priority"),
    [("1", 1), (" 3 ", 3), ("1 (Highest)", 0), ("-1", 0), ("", 0), ("9" * 5000, 999999999)],
)
def test_a_priority_is_a_number_or_nothing(value: str, priority: int) -> None:
    assert received("priority_header = X-Urgent\n", f"X-URGENT: {value}\r\n").priority == priority


def test_without_an_option_no_field_marks_a_message() -> None:
    message = received("", "X-Priority: 3\r\nPriority: 1\r\n")
    assert (message.priority, message.fairness_key, message.lane) == (0, "", 0)


def test_a_large_message_has_its_marks_too() -> None:
    desk = Desk("large_message_threshold = 4096\n" + KEYED)
    content = b"X-Campaign: big\r\n\r\n" + 100 * (78 * b"x" + b"\r\n")
    assert desk.greeted().deliver(content).startswith("250")
    assert desk.message.fairness_key == "big"


def test_a_listener_may_know_its_clients_better() -> None:
    desk = Desk("", listener=KEYED)
    assert desk.greeted().deliver(b"X-Campaign: a\r\n\r\nb\r\n").startswith("250")
    assert desk.message.fairness_key == "a"
