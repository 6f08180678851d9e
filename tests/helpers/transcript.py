"""Play a written dialogue against a wire session.

    C: a line from the peer             S: the line it must get
    ?: an event the session must give   !: the answer to that event; 334 is a challenge

Every transcript is played twice, in big pieces and octet by octet: a session may not care how the
network cut its octets. `Body` pieces are joined and shown with the End which follows them.
"""

import textwrap
from collections.abc import Iterator

from angarium.core.reply import from_text
from angarium.wire.smtp_grammar import Auth, Bdat, Command, Hello, Mail, Rcpt
from angarium.wire.smtp_server import (
    Body,
    ChunkEnd,
    End,
    Event,
    Refused,
    Response,
    Signal,
    SmtpServer,
)


def play(session: SmtpServer, script: str, cut: int = 0) -> None:
    """Play `script`, handing over at most `cut` octets at a time (0: all there is)."""
    sent, waiting = bytearray(session.data_to_send()), b""
    body = b""
    for side, text in _lines(script):
        match side:
            case "C":
                waiting += text.encode().decode("unicode_escape").encode("latin-1") + b"\r\n"
            case "?":
                event, waiting, piece = _pump(session, waiting, cut)
                body += piece
                assert show(event, body) == text
                if not isinstance(event, ChunkEnd):
                    body = b""
            case "!":
                if text.startswith("334 "):
                    session.challenge(text[4:].encode())
                else:
                    session.answer(from_text(text))
            case "S":
                _, waiting, piece = _pump(session, waiting, cut)
                body += piece
                sent += session.data_to_send()
                line, found, rest = bytes(sent).partition(b"\r\n")
                assert found, f"nothing sent, expected {text!r}"
                assert line.decode() == text
                sent[:] = rest
    sent += session.data_to_send()
    assert not sent, f"sent unasked: {bytes(sent)!r}"


def _pump(session: SmtpServer, waiting: bytes, cut: int) -> tuple[Event, bytes, bytes]:
    """Feed the session until it has an event which asks for an answer."""
    body = b""
    while True:
        event = session.next_event()
        if isinstance(event, Body):
            body += event.data
        elif isinstance(event, Refused):
            body = b""
        elif event is not Signal.NEED_DATA or not waiting:
            return event, waiting, body
        else:
            step = cut or len(waiting)
            session.receive(waiting[:step])
            waiting = waiting[step:]


def _lines(script: str) -> Iterator[tuple[str, str]]:
    for line in textwrap.dedent(script).strip().splitlines():
        side, _, text = line.partition(":")
        yield side.strip(), text.removeprefix(" ")


def show(event: Event, body: bytes = b"") -> str:
    """Return an event as transcripts write it."""
    words: list[str] = []
    match event:
        case End():
            words = ["END", repr(body)]
        case ChunkEnd(size):
            words = ["CHUNK", str(size)]
        case Signal():
            words = [event.name]
        case Auth(mechanism, initial):
            words = ["AUTH", mechanism, "" if initial is None else repr(initial)]
        case Response(data):
            words = ["RESPONSE", repr(data)]
        case Hello(verb, argument) | Command(verb, argument):
            words = [verb, argument]
        case Mail() | Rcpt():
            words = [event.verb, event.address]
        case Body() | Refused() | Bdat():
            words = [repr(event)]
    return " ".join(words).strip()
