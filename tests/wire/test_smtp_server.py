"""Dialogues of RFC 5321 section 4 and its extensions, and the ones attackers try."""

import textwrap
from collections.abc import Callable

import pytest

from angarium.core.reply import Reply
from angarium.wire.smtp_grammar import Syntax, line_limits
from angarium.wire.smtp_server import (
    CLOSED,
    MOVES,
    READY,
    Body,
    End,
    Event,
    Refused,
    Signal,
    SmtpServer,
    State,
)
from helpers.transcript import play

OK, GO_ON = Reply(250, "ok"), Reply(354, "go on")
Dialogue = Callable[[str], None]


def server(*, greeting_needed: bool = False, max_commands: int = 0) -> SmtpServer:
    session = SmtpServer(Syntax(), greeting_needed=greeting_needed, max_commands=max_commands)
    session.say(Reply(220, "mx.example ESMTP"))
    return session


@pytest.fixture(params=[0, 1, 7], ids=["in big pieces", "octet by octet", "by sevens"])
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return lambda script: play(server(), "S: 220 mx.example ESMTP\n" + script, request.param)


def test_a_refused_recipient_leaves_the_others(dialogue: Dialogue) -> None:
    dialogue(r"""C: EHLO client.example
        ?: EHLO client.example
        !: 250 mx.example
        S: 250 mx.example
        C: MAIL FROM:<a@client.example> SIZE=12
        C: RCPT TO:<nobody@mx.example>
        C: RCPT TO:<b@mx.example>
        C: DATA
        ?: MAIL a@client.example
        !: 250 ok
        ?: RCPT nobody@mx.example
        !: 550 5.1.1 no such user
        ?: RCPT b@mx.example
        !: 250 ok
        ?: DATA
        !: 354 go on
        S: 250 ok
        S: 550 5.1.1 no such user
        S: 250 ok
        S: 354 go on
        C: Subject: dots
        C:
        C: ..leading
        C: .
        ?: END b'Subject: dots\r\n\r\n.leading\r\n'
        !: 250 queued
        S: 250 queued
        C: QUIT
        ?: QUIT
        !: 221 bye
        S: 221 bye
    """)


def test_messages_pipelined_behind_their_bodies_wait_for_the_answer(dialogue: Dialogue) -> None:
    dialogue(r"""C: EHLO c
        C: MAIL FROM:<a@c.example>
        C: RCPT TO:<b@mx.example>
        C: DATA
        C: one
        C: .
        C: MAIL FROM:<a2@c.example>
        C: RCPT TO:<b2@mx.example>
        C: DATA
        C: two
        C: .
        ?: EHLO c
        !: 250 ok
        ?: MAIL a@c.example
        !: 250 ok
        ?: RCPT b@mx.example
        !: 250 ok
        ?: DATA
        !: 354 go
        ?: END b'one\r\n'
        ?: ANSWER_DUE
        !: 250 one
        ?: MAIL a2@c.example
        !: 250 ok
        ?: RCPT b2@mx.example
        !: 250 ok
        ?: DATA
        !: 354 go
        ?: END b'two\r\n'
        !: 451 4.3.0 two failed
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        S: 250 one
        S: 250 ok
        S: 250 ok
        S: 354 go
        S: 451 4.3.0 two failed
    """)


def test_data_needs_a_sender_and_a_recipient(dialogue: Dialogue) -> None:
    dialogue("""C: HELO client.example
        ?: HELO client.example
        !: 250 ok
        S: 250 ok
        C: DATA
        S: 503 5.5.1 DATA without MAIL FROM
        C: RCPT TO:<b@mx.example>
        S: 503 5.5.1 RCPT TO without MAIL FROM
        C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        S: 250 ok
        C: DATA
        S: 503 5.5.1 DATA without RCPT TO
        C: MAIL FROM:<>
        S: 501 5.5.1 MAIL FROM already established
    """)


def test_a_refused_sender_begins_no_transaction(dialogue: Dialogue) -> None:
    dialogue("""C: HELO c
        ?: HELO c
        !: 250 ok
        C: MAIL FROM:<a@b.example>
        ?: MAIL a@b.example
        !: 552 5.3.4 too large
        C: RCPT TO:<b@mx.example>
        S: 250 ok
        S: 552 5.3.4 too large
        S: 503 5.5.1 RCPT TO without MAIL FROM
    """)


@pytest.mark.parametrize("verb", ["RSET", "EHLO c", "HELO c"])
def test_rset_and_greetings_end_a_transaction(dialogue: Dialogue, verb: str) -> None:
    dialogue(f"""C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        C: {verb}
        ?: {verb}
        !: 250 again
        C: RCPT TO:<b@mx.example>
        S: 250 ok
        S: 250 again
        S: 503 5.5.1 RCPT TO without MAIL FROM
    """)


def test_commands_with_what_they_do_not_take(dialogue: Dialogue) -> None:
    dialogue("""C: RSET now
        S: 501 5.5.4 invalid arguments to RSET
        C: QUIT please
        S: 501 5.5.4 Syntax error (no parameters allowed)
        C: DATA x
        S: 501 5.5.4 unexpected argument to DATA
        C: EHLO
        S: 501 5.5.2 invalid EHLO
        C: HELO a b
        S: 501 5.5.2 invalid HELO
        C: FROB
        S: 500 5.5.2 unrecognized command
        C:
        S: 500 5.5.2 unrecognized command
        C: MAIL FROM:a@b.example
        S: 501 5.5.2 MAIL FROM syntax error
    """)


def test_without_a_greeting_mail_is_refused_where_it_is_required() -> None:
    for cut in (0, 1):
        play(
            server(greeting_needed=True),
            """S: 220 mx.example ESMTP
            C: MAIL FROM:<>
            S: 550 5.5.1 RFC2821 HELO/EHLO needed
            C: NOOP
            ?: NOOP
            !: 250 ok
            S: 250 ok
            """,
            cut,
        )


def test_chunks_make_one_message(dialogue: Dialogue) -> None:
    dialogue(r"""C: MAIL FROM:<> BODY=BINARYMIME
        ?: MAIL
        !: 250 ok
        C: RCPT TO:<b@mx.example>
        ?: RCPT b@mx.example
        !: 250 ok
        C: BDAT 6
        C: abcd
        C: BDAT 5 LAST
        C: \n.\n
        ?: CHUNK 6
        !: 250 6 octets
        ?: END b'abcd\r\n\n.\n\r\n'
        !: 250 queued
        C: QUIT
        ?: QUIT
        !: 221 bye
        S: 250 ok
        S: 250 ok
        S: 250 6 octets
        S: 250 queued
        S: 221 bye
    """)


def test_an_empty_last_chunk_ends_a_message(dialogue: Dialogue) -> None:
    dialogue(r"""C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        C: RCPT TO:<b@mx.example>
        ?: RCPT b@mx.example
        !: 250 ok
        C: BDAT 6
        C: abcd
        ?: CHUNK 6
        !: 250 ok
        C: RCPT TO:<c@mx.example>
        C: BDAT 0 LAST
        ?: END b'abcd\r\n'
        !: 250 queued
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 503 5.5.1 bad sequence of commands
        S: 250 queued
    """)


def test_the_octets_of_a_refused_chunk_are_not_commands(dialogue: Dialogue) -> None:
    dialogue(r"""C: BDAT 8 LAST
        C: RSET\r\n
        C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        S: 503 5.5.1 bad sequence of commands
        S: 250 ok
    """)


def test_chunks_behind_a_refused_one_are_refused(dialogue: Dialogue) -> None:
    dialogue(r"""C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        C: RCPT TO:<b@mx.example>
        ?: RCPT b@mx.example
        !: 250 ok
        C: BDAT 6
        C: abcd
        C: BDAT 6 LAST
        C: QUIT
        C: NOOP
        ?: CHUNK 6
        !: 552 5.3.4 too large
        ?: NOOP
        !: 250 ok
        S: 250 ok
        S: 250 ok
        S: 552 5.3.4 too large
        S: 503 5.5.1 bad sequence of commands
        S: 250 ok
    """)


def test_binary_content_goes_by_chunks_only(dialogue: Dialogue) -> None:
    dialogue("""C: MAIL FROM:<> BODY=BINARYMIME
        ?: MAIL
        !: 250 ok
        C: RCPT TO:<b@mx.example>
        ?: RCPT b@mx.example
        !: 250 ok
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 503 5.5.1 BINARYMIME goes by BDAT only
    """)


def test_a_chunk_of_unknown_size_ends_the_session() -> None:
    session = server()
    session.receive(b"BDAT much\r\nMAIL FROM:<>\r\n")
    assert isinstance(session.next_event(), Refused)
    assert session.state is CLOSED
    assert session.next_event() is Signal.NEED_DATA


@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r\r\n"])
def test_a_smuggled_message_is_neither_taken_nor_ends_the_first(end: bytes, size: int) -> None:
    wire = b"DATA\r\ntext" + end + b"MAIL FROM:<evil@c.example>\r\nDATA\r\nevil\r\n.\r\nNOOP\r\n"
    session = server()
    events = run(session, b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\n" + wire, size)
    assert [type(each).__name__ for each in events] == [
        "Mail",
        "Rcpt",
        "Command",
        "Refused",
        "Command",
    ]
    refused = events[3]
    assert isinstance(refused, Refused)
    assert (refused.reply.code, refused.reply.enhanced) == (550, "5.5.2")


def test_smuggling_by_chunks_is_refused_as_well() -> None:
    content = b"text\n.\nMAIL FROM:<evil@c.example>\r\n"
    wire = b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nBDAT %d LAST\r\n" % len(content) + content
    assert isinstance(run(server(), wire)[-1], Refused)


def run(session: SmtpServer, wire: bytes, cut: int = 0) -> list[Event]:
    """Feed `wire`, answer everything with yes, return the events but for bodies."""
    events: list[Event] = []
    for start in range(0, len(wire), cut or len(wire)):
        session.receive(wire[start : start + (cut or len(wire))])
        while (event := session.next_event()) is not Signal.NEED_DATA:
            if isinstance(event, Body):
                continue
            events.append(event)
            if not isinstance(event, Refused):
                session.answer(GO_ON if getattr(event, "verb", "") == "DATA" else OK)
    return events


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        (b"NOOP " + b"x" * 505, True),
        (b"NOOP " + b"x" * 506, False),
        (b"MAIL FROM:<a@b.example> ENVID=" + b"x" * 600, True),
        (b"mail from:<a@b.example> ENVID=" + b"x" * 1300, False),
        (b"RCPT TO:<a@b.example> ORCPT=rfc822;" + b"x" * 900, True),
        (b"RCPT TO:<a@b.example> ORCPT=rfc822;" + b"x" * 1000, False),
        (b"AUTH PLAIN " + b"x" * 12000, True),
        (b"AUTH PLAIN " + b"x" * 12300, False),
        (b"x" * 100_000, False),
    ],
)
@pytest.mark.parametrize("cut", [0, 61])
def test_the_limit_of_a_line_is_that_of_its_verb_and_the_session_goes_on(
    line: bytes, fits: bool, cut: int
) -> None:
    session = server()
    session.data_to_send()
    run(session, line + b"\r\nNOOP\r\n", cut)
    first, last = session.data_to_send().splitlines()
    assert (first != b"500 5.5.2 line too long") is fits
    assert last == b"250 ok"


def test_a_line_which_never_ends_is_not_kept() -> None:
    session = server()
    for _ in range(100):
        session.receive(b"x" * 4096)
        session.next_event()
    assert len(session._data) <= 1


def test_shorter_limits_may_be_set() -> None:
    session = SmtpServer(Syntax(), limits=line_limits(20, 30))
    run(session, b"NOOP 567890123456789\r\nAUTH 67890123456789\r\n")
    assert session.data_to_send().splitlines()[0] == b"500 5.5.2 line too long"


def test_one_command_too_many_ends_the_session() -> None:
    session = server(max_commands=2)
    session.data_to_send()
    run(session, b"NOOP\r\n" * 5)
    assert session.data_to_send().splitlines() == [
        b"250 ok",
        b"250 ok",
        b"421 4.7.0 too many commands",
    ]
    assert session.state is CLOSED


def test_a_refusing_banner_and_a_421_are_the_last_words() -> None:
    session = SmtpServer(Syntax())
    session.say(Reply(421, "full", "4.4.5"))
    session.receive(b"EHLO c\r\n")
    assert session.next_event() is Signal.NEED_DATA
    assert session.data_to_send() == b"421 4.4.5 full\r\n"
    session = server()
    session.receive(b"MAIL FROM:<>\r\nNOOP\r\n")
    session.next_event()
    session.answer(Reply(421, "reload", "4.3.2"))
    assert session.next_event() is Signal.NEED_DATA


def test_an_octet_from_nowhere_is_no_command() -> None:
    for octet in range(256):
        session = server()
        session.receive(bytes([octet]) + b"\r\n")
        assert isinstance(session.next_event(), Refused)


def test_a_message_tells_what_its_octets_have() -> None:
    events = run(server(), b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n..\xe9\r\n.\r\n")
    assert events[-1] == End(traits=9)


def test_from_every_state_there_is_a_way_on_and_a_body_has_only_its_end() -> None:
    assert set(MOVES) == set(State)
    assert MOVES[State.BODY] == {"END": READY}
    for state in (State.START, State.READY, State.MAIL, State.RCPT, State.CHUNKS):
        assert MOVES[state]["QUIT"] is CLOSED


@pytest.fixture(params=[0, 1, 7], ids=["in big pieces", "octet by octet", "by sevens"])
def knowing(request: pytest.FixtureRequest) -> Dialogue:
    """A session in which there is AUTH, after EHLO."""

    def played(script: str) -> None:
        limits = line_limits(512, 600)
        session = SmtpServer(Syntax(auth=True), greeting_needed=True, limits=limits)
        begun = "C: EHLO a\n?: EHLO a\n!: 250 ok\nS: 250 ok\n"
        play(session, begun + textwrap.dedent(script), request.param)

    return played


def test_who_says_who_he_is_answers_challenges(knowing: Dialogue) -> None:
    knowing(r"""C: AUTH LOGIN
        ?: AUTH LOGIN
        !: 334 Username:
        S: 334 VXNlcm5hbWU6
        C: dGlt
        ?: RESPONSE b'tim'
        !: 334 Password:
        S: 334 UGFzc3dvcmQ6
        C: MAIL
        ?: RESPONSE b'0\x02\x0b'
        !: 535 5.7.8 no
        S: 535 5.7.8 no
        C: AUTH PLAIN AHRpbQB0aW0=
        ?: AUTH PLAIN b'\x00tim\x00tim'
        !: 235 2.7.0 yes
        S: 235 2.7.0 yes
        C: NOOP
        ?: NOOP
        !: 250 ok
        S: 250 ok""")


def test_a_challenge_of_no_octets_has_its_blank(knowing: Dialogue) -> None:
    session = SmtpServer(Syntax(auth=True))
    session.challenge(b"")
    assert session.data_to_send() == b"334 \r\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("*", "501 5.7.0 authentication cancelled"),
        ("AAA", "501 5.5.2 cannot decode what is no base64"),
        ("A" * 600, "500 5.5.6 authentication exchange line is too long"),
        ("A" * 5000, "500 5.5.6 authentication exchange line is too long"),
    ],
)
def test_what_is_no_response_ends_the_exchange(knowing: Dialogue, line: str, told: str) -> None:
    knowing(f"""C: AUTH LOGIN
        ?: AUTH LOGIN
        !: 334 Username:
        S: 334 VXNlcm5hbWU6
        C: {line}
        S: {told}
        C: NOOP
        ?: NOOP
        !: 250 ok
        S: 250 ok""")


def test_a_line_as_long_as_the_option_says_is_a_response(knowing: Dialogue) -> None:
    knowing(f"""C: AUTH LOGIN
        ?: AUTH LOGIN
        !: 334 x
        S: 334 eA==
        C: {"A" * 596}
        ?: RESPONSE {bytes(447)!r}
        !: 535 no
        S: 535 no""")


def test_auth_comes_after_ehlo_outside_of_transactions_and_once() -> None:
    session = SmtpServer(Syntax(auth=True), greeting_needed=True)
    play(
        session,
        """C: AUTH LOGIN
        S: 503 5.5.1 bad sequence of commands
        C: EHLO a
        ?: EHLO a
        !: 250 ok
        S: 250 ok
        C: MAIL FROM:<>
        ?: MAIL
        !: 250 ok
        S: 250 ok
        C: AUTH LOGIN
        S: 503 5.5.1 bad sequence of commands""",
    )
    session.authenticated = True
    play(
        session,
        """C: RSET
        ?: RSET
        !: 250 ok
        S: 250 ok
        C: AUTH LOGIN
        S: 503 5.5.1 already authenticated""",
    )
