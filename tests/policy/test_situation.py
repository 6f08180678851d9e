from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.policy.context import Session
from angarium.policy.macros import Situation, expand
from angarium.policy.mail import Mail
from angarium.policy.situation import situation

HEADER = (
    b"Subject: =?utf-8?q?hi?=\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n'
)
BODY = (
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4\r\nzwei\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\npng\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n"
)


def _all(mail: Mail | None, session: Session | None = None) -> Situation:
    return situation(session, mail, now=5.0, host="mta.example")


def _mail(session: Session | None = None) -> Mail:
    message = Message(
        "a@b.example", MemoryBody(b"\r\n" + BODY), header=HEADER, source="[2001:db8::1]:25"
    )
    message.variables["one"] = "1"
    message.session_variables["two"] = "2"
    recipient = Recipient("c@D.example", "", binding="fast", variables={"three": "3"})
    return Mail(message, [recipient], session, recipient)


def test_contexts_are_those_of_the_recipient_and_the_session() -> None:
    text = b"%{vctx_mess:one}%{vctx_conn:two}%{vctx_mess:three}"
    assert expand(text, _all(_mail())) == b"123"
    session = Session(peer=("192.0.2.1", 25))
    session.variables |= {"two": "zwei", "ehlo_domain": "h.example"}
    assert expand(text + b" %{i} %{h} %{r}", _all(_mail(session), session)) == (
        b"1zwei3 192.0.2.1 h.example mta.example"
    )


def test_parts_are_leaves_and_texts_are_decoded() -> None:
    known = _all(_mail())
    assert expand(b"%{rfc2822:text}", known) == "ä\r\nzwei\r\n".encode()
    assert expand(b"%{rfc2822:text,1,1}", known) == "ä\r\n".encode()
    assert expand(b"%{rfc2822:part,2}", known) == b"Content-Type: image/png\r\n\r\npng\r\n"
    assert expand(b"%{rfc2822:text,2}", known) == b"Content-Type: text/html\r\n\r\n<p>\r\n"
    assert expand(b"%{rfc2822:part,4}%{rfc2822:text,3}%{rfc2822:text,9,1}", known) == b""
    assert expand(b"%{rfc2822:headers}", known) == HEADER
    assert expand(b"%{rfc2822:body}", known) == BODY


def test_letters_are_what_is_known_before_the_end() -> None:
    mail = _mail()
    assert expand(b"%m %M %r %R %d %b %g %p %H %P %n", _all(mail)) == (
        b"a b.example c D.example d.example fast  esmtp 2001:db8::1  "
    )
    mail.reply = Reply(250, "fine")
    assert expand(b"%n", _all(mail)) == b"250 fine"
    assert expand(b"%B", _all(mail)) == str(len(HEADER) + 2 + len(BODY)).encode()
    assert expand(b"%h{Subject} %h{None}", _all(mail)) == b"=?utf-8?q?hi?= "


def test_before_there_is_a_message_only_the_session_is_known() -> None:
    session = Session(peer=("192.0.2.1", 25), connection=1)
    text = b"%{i} %{s} %m %{rfc2822:message}%B %p"
    assert expand(text, _all(None, session)) == b"192.0.2.1   %B smtp"
    assert expand(b"%{i}%CI", _all(None)) == b"%CI"


def test_a_message_without_content_yet_has_none() -> None:
    mail = Mail(Message("a@b.example", MemoryBody(b"")), [], whole=False)
    assert expand(b"<%{rfc2822:message}%m>", _all(mail)) == b"<a>"
