"""How commands and content look on the wire."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Notify, Recipient, Ret, Trait
from angarium.core.reply import Reply
from angarium.wire.smtp_transaction import (
    Extensions,
    Stage,
    Transaction,
    content,
    mail_command,
    offered,
    rcpt_command,
    stuffed,
)

ALL = offered(
    Reply(
        250,
        "mx\nPIPELINING\nSIZE 1000\n8bitmime\nSMTPUTF8\nDSN\nCHUNKING\nBINARYMIME\nX odd  line",
    )
)


def test_what_the_peer_offers_is_known_by_keyword() -> None:
    assert Extensions(True, 1000, True, True, True, True, True, words=ALL.words) == ALL
    assert "X" in ALL.words
    assert offered(Reply(250, "PIPELINING")) == Extensions()


@pytest.mark.parametrize(
    ("line", "size"), [("SIZE", 0), ("SIZE 0", 0), ("SIZE x", 0), ("SIZE 5", 5), ("NO", None)]
)
def test_size_without_a_number_is_no_limit(line: str, size: int | None) -> None:
    assert offered(Reply(250, f"mx\n{line}")).size == size


def test_binarymime_without_chunking_is_not_taken() -> None:
    assert not offered(Reply(250, "mx\nBINARYMIME")).binary


def mail(peer: Extensions, traits: int = 0, *, declare: bool = True, **fields: Any) -> str:
    message = Message("a@x.example", MemoryBody(b"12345"), traits=traits, **fields)
    return mail_command(Transaction(message, []), peer, declare_8bit=declare)


def test_parameters_go_only_to_who_knows_them() -> None:
    everything = Trait.EIGHT_BIT | Trait.SMTPUTF8
    fields: dict[str, Any] = {"ret": Ret.HDRS, "envid": "QQ+3D1"}
    assert mail(Extensions(), everything, **fields) == "MAIL FROM:<a@x.example>\r\n"
    assert mail(ALL, everything, **fields) == (
        "MAIL FROM:<a@x.example> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+3D1\r\n"
    )
    assert mail(ALL, Trait.EIGHT_BIT, declare=False) == "MAIL FROM:<a@x.example> SIZE=5\r\n"
    assert "BODY=BINARYMIME" in mail(ALL, Trait.BINARY | Trait.EIGHT_BIT)


def test_a_parameter_which_is_no_parameter_is_left_out() -> None:
    assert mail(ALL, envid="a b\r\nRSET") == "MAIL FROM:<a@x.example> SIZE=5\r\n"
    odd = Recipient("b@y.example", "y.example", orcpt="rfc822;\u00e9")
    assert rcpt_command(odd, ALL) == "RCPT TO:<b@y.example>\r\n"


@pytest.mark.parametrize(
    ("notify", "text"),
    [
        (Notify.UNSET, ""),
        (Notify.NEVER, " NOTIFY=NEVER"),
        (Notify.SUCCESS | Notify.FAILURE, " NOTIFY=SUCCESS,FAILURE"),
        (Notify.DELAY, " NOTIFY=DELAY"),
    ],
)
def test_notify_and_orcpt_are_passed_on(notify: int, text: str) -> None:
    recipient = Recipient("b@y.example", "y.example", notify=notify, orcpt="rfc822;b@z")
    assert rcpt_command(recipient, ALL) == f"RCPT TO:<b@y.example>{text} ORCPT=rfc822;b@z\r\n"
    assert rcpt_command(recipient, Extensions()) == "RCPT TO:<b@y.example>\r\n"


def test_each_recipient_has_one_result() -> None:
    transaction = Transaction(Message("", MemoryBody()), [Recipient("a", "a"), Recipient("b", "b")])
    no, yes = Reply(550, "no"), Reply(250, "yes")
    transaction.settle(0, no, Stage.RCPT)
    transaction.settle(0, yes, Stage.CONFIRM)
    transaction.settle_all(yes, Stage.CONFIRM)
    assert (transaction.replies, transaction.open) == ([no, yes], 0)
    assert transaction.stages == [Stage.RCPT, Stage.CONFIRM]
    transaction.reopen()
    assert (transaction.replies, transaction.open) == ([None, None], 2)


def wire(body: bytes, traits: int = 0, *, bdat: bool = False, header: bytes = b"H: h\r\n") -> bytes:
    message = Message("", MemoryBody(body), header, traits)
    return b"".join(content(Transaction(message, []), bdat=bdat))


def test_content_by_data_ends_in_a_line_of_its_own() -> None:
    assert wire(b"x\r\n") == b"H: h\r\nx\r\n.\r\n"
    assert wire(b"x", Trait.NO_FINAL_CRLF) == b"H: h\r\nx\r\n.\r\n"
    assert wire(b"", Trait.NO_FINAL_CRLF) == b"H: h\r\n.\r\n"
    assert wire(b".x\r\n", Trait.DOTS) == b"H: h\r\n..x\r\n.\r\n"


def test_content_by_bdat_is_sent_as_it_is() -> None:
    assert wire(b".x", Trait.DOTS | Trait.NO_FINAL_CRLF, bdat=True) == b"BDAT 8 LAST\r\nH: h\r\n.x"


def test_pieces_of_a_body_are_not_copied() -> None:
    pieces = [b"x" * 70000 + b"\r\n", b"y\r\n"]
    message = Message("", MemoryBody(*pieces), b"H: h\r\n")
    sent = list(content(Transaction(message, []), bdat=False))
    assert [id(each) for each in sent[1:3]] == [id(each) for each in pieces]


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"\r\n."]) | st.binary()))
def test_stuffing_is_the_same_whatever_the_pieces(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert b"".join(stuffed(pieces)) == (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
