"""Sessions whose policy waits, fails or refuses: what becomes of the message and of the others."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.journal.errors import SpoolError
from angarium.policy import hooks
from angarium.policy.hooks import Hook, on
from angarium.policy.verdict import CONT, DONE, Verdict
from angarium.queue.admit import refused_by_policy
from helpers.reception import Desk, Talk

NO = Reply(550, "not today", "5.7.1")
CONTENT = b"From: a@client.example\r\nSubject: hello\r\n\r\nbody\r\n"
LARGE = b"From: a@client.example\r\nSubject: hello\r\n\r\n" + (b"y" * 76 + b"\r\n") * 3000
ENVELOPE = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nRCPT TO:<c@mx.example>\r\n"


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Waiting:
    """Waits at one hook, until the test says so."""

    def __init__(self, at: type[Hook]) -> None:
        self.at = at
        self.gate = asyncio.Event()
        self.ended = 0

    @on(hooks.Accept)
    @on(hooks.Connect)
    @on(hooks.Ehlo)
    @on(hooks.MailFrom)
    @on(hooks.RcptTo)
    @on(hooks.RcptToList)
    @on(hooks.RcptToListFinal)
    @on(hooks.Data)
    @on(hooks.DataSpool)
    @on(hooks.PreEachRcpt)
    @on(hooks.EachRcpt)
    async def wait(self, event: Hook) -> Verdict:
        if type(event) is self.at:
            try:
                await self.gate.wait()
            finally:
                self.ended += 1
        return CONT


ALL = (
    hooks.Accept, hooks.Connect, hooks.Ehlo, hooks.MailFrom, hooks.RcptTo, hooks.RcptToList,
    hooks.RcptToListFinal, hooks.Data, hooks.DataSpool, hooks.PreEachRcpt, hooks.EachRcpt,
)  # fmt: skip


async def sent(desk: Desk, content: bytes) -> Talk:
    """Send all of a session at once, as nobody should."""
    talk = desk.connect()
    talk.send(b"EHLO client.example\r\n" + ENVELOPE + b"DATA\r\n" + content + b".\r\n")
    for _ in range(40):
        await turns()
        desk.timers.run()
    return talk


@pytest.mark.parametrize("at", ALL)
async def test_who_pipelines_waits_at_every_hook_and_gets_all_answers(at: type[Hook]) -> None:
    policy = Waiting(at)
    desk = Desk(policy=policy)
    talk = await sent(desk, CONTENT)
    assert not desk.admit.taken
    talk.send(b"QUIT\r\n")
    talk.session.eof_received()
    policy.gate.set()
    for _ in range(40):
        await turns()
        desk.timers.run()
    codes = [line[:3] for line in talk.heard() if line[3] == " "]
    assert codes == ["220", "250", "250", "250", "250", "354", "250", "221"]
    assert len(desk.admit.taken) == 1
    assert talk.transport.over


@pytest.mark.parametrize("how", ["leaves", "is sent away", "is drained and sent away"])
@pytest.mark.parametrize("at", ALL)
async def test_of_a_session_which_ends_while_policy_waits_nothing_is_left(
    at: type[Hook], how: str
) -> None:
    policy = Waiting(at)
    desk = Desk("large_message_threshold = 4096", policy=policy)
    talk = await sent(desk, LARGE)
    if how == "leaves":
        talk.lose()
    else:
        if how.startswith("is drained"):
            talk.session.drain()
        talk.session.end()
        assert talk.heard()[-1].startswith("421")
        talk.lose()
    await turns()
    assert policy.ended == 1
    assert desk.services.policing.sessions == 0
    assert not desk.services.sessions
    assert not desk.admit.taken
    # Every file which was begun is freed.
    freed = len(desk.admit.dropped) + sum(each.aborted for each in desk.writers)
    assert freed == len(desk.writers)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_message_which_the_disk_was_to_make_readable_is_freed_when_its_client_goes() -> (
    None
):
    policy = Waiting(hooks.Data)
    desk = Desk("large_message_threshold = 4096", policy=policy)
    later: list[Callable[[], None]] = []
    desk.admit.written = lambda _message, done: later.append(done)  # type: ignore[method-assign]
    talk = await sent(desk, LARGE)
    talk.lose()
    for done in later:
        done()
    assert len(desk.admit.dropped) == 1
    assert policy.ended == 0


def refused_by(error: type[BaseException]) -> object:
    class Faulty:
        @on(hooks.RcptTo)
        def at_once(self, _event: hooks.RcptTo) -> Verdict:
            raise error

        @on(hooks.DataSpool)
        async def later(self, _event: hooks.DataSpool) -> Verdict:
            await asyncio.sleep(0)
            raise error

    return Faulty()


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, StopIteration, MemoryError])
async def test_a_handler_may_not_end_us_nor_leave_a_peer_without_an_answer(
    error: type[BaseException],
) -> None:
    desk = Desk(policy=refused_by(error))
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@mx.example>") == ["451 4.3.0 policy failed"]

    class Later:
        later = on(hooks.DataSpool)(lambda _self, event: refused_by(error).later(event))  # type: ignore[attr-defined]

    desk = Desk(policy=Later())
    talk = await sent(desk, CONTENT)
    assert talk.heard()[-1] == "451 4.3.0 policy failed"
    assert talk.say("NOOP")[0].startswith("250")
    assert len(desk.panics) == 1


@pytest.mark.parametrize("rubbish", [7, "yes", True, object()])
async def test_a_handler_which_returns_rubbish_has_failed(rubbish: object) -> None:
    class Odd:
        @on(hooks.MailFrom)
        def odd(self, _event: hooks.MailFrom) -> object:
            return rubbish

    desk = Desk(policy=Odd())
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\n")
    await turns()
    assert talk.heard() == ["451 4.3.0 policy failed"]


def test_a_refused_greeting_leaves_the_transaction_as_it_was() -> None:
    class Choosy:
        @on(hooks.Ehlo)
        def no(self, event: hooks.Ehlo) -> None:
            if event.text == "bad.example":
                event.session.refuse(NO)

    desk = Desk(policy=Choosy())
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("EHLO bad.example") == ["550 5.7.1 not today"]
    assert talk.say("RCPT TO:<b@mx.example>")[0].startswith("250")
    assert desk.rejections[-1].conn_vars["ehlo_domain"] == "bad.example"
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    assert talk.heard()[-1].startswith("250")
    assert b"client.example" in desk.message.header
    assert b"bad.example" not in desk.message.header


def test_a_list_which_was_refused_at_data_is_asked_about_again() -> None:
    class Never:
        @on(hooks.RcptToList)
        def no(self, event: hooks.RcptToList) -> None:
            event.session.refuse(NO)

    desk = Desk(policy=Never())
    talk = desk.greeted()
    talk.send(ENVELOPE + b"DATA\r\n")
    assert talk.heard()[-1] == "550 5.7.1 not today"
    talk.send(b"BDAT 12 LAST\r\nSubject: x\r\n")
    assert talk.heard()[-1] == "550 5.7.1 not today"
    assert not desk.admit.taken


def test_a_handler_of_bad_commands_refuses_nothing_that_comes_later() -> None:
    class Strict:
        hang_up = False

        @on(hooks.BadCommand)
        def bad(self, event: hooks.BadCommand) -> None:
            event.session.refuse(Reply(421, "go away", "4.7.0"), disconnect=self.hang_up)

        @on(hooks.MailFrom)
        def asked(self, _event: hooks.MailFrom) -> None: ...

    policy = Strict()
    desk = Desk(policy=policy)
    talk = desk.greeted()
    assert talk.say("GUESS")[0].startswith("500")
    assert talk.say("MAIL FROM:<a@client.example>")[0].startswith("250")
    policy.hang_up = True
    assert [line[:3] for line in talk.say("GUESS")] == ["500", "421"]
    assert talk.transport.over


def test_who_takes_a_recipient_off_the_list_and_refuses_it_too_is_understood() -> None:
    class Both:
        @on(hooks.RcptTo)
        def no(self, event: hooks.RcptTo) -> None:
            assert event.session.mail is not None
            event.session.mail.recipients.clear()
            event.session.refuse(NO)

    talk = Desk(policy=Both()).greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@mx.example>") == ["550 5.7.1 not today"]


def test_of_two_equal_recipients_the_refused_one_goes() -> None:
    class Once:
        asked = 0

        @on(hooks.RcptTo)
        def no(self, event: hooks.RcptTo) -> None:
            self.asked += 1
            mail = event.session.mail
            assert mail is not None
            if self.asked == 1:
                self.first = mail.recipients[0]
            else:
                event.session.refuse(NO)

    policy = Once()
    desk = Desk(policy=policy)
    assert desk.greeted().deliver(CONTENT).startswith("250")
    talk = desk.greeted()
    policy.asked = 0
    talk.send(b"MAIL FROM:<a@client.example>\r\n" + b"RCPT TO:<b@mx.example>\r\n" * 2)
    talk.send(b"DATA\r\n" + CONTENT + b".\r\n")
    ((_, recipients),) = desk.admit.taken[1:]
    assert recipients[0] is policy.first
    assert len(recipients) == 1


class Editing:
    """Changes the header of a large message, then refuses, drops or keeps it."""

    def __init__(self, end: str) -> None:
        self.end = end

    @on(hooks.DataSpool)
    def edit(self, event: hooks.DataSpool) -> None:
        event.mail.edited.append("X-Seen", "yes")

    @on(hooks.EachRcpt)
    def each(self, event: hooks.EachRcpt) -> Verdict:
        assert event.session is not None
        if self.end == "refuse":
            event.session.refuse(NO)
            return DONE
        if self.end == "drop":
            event.mail.discard()
        if self.end == "copy":
            event.mail.edited.append("X-For", event.mail.rcptto)
        if self.end == "senders":
            event.mail.sender = f"from-{event.mail.rcptto}"
        return CONT


@pytest.mark.parametrize("end", ["refuse", "drop", "copy", "senders", "keep"])
async def test_what_arrived_of_an_edited_large_message_is_freed_once(end: str) -> None:
    desk = Desk("large_message_threshold = 4096", policy=Editing(end))
    talk = await sent(desk, LARGE)
    last = talk.heard()[-1]
    assert last.startswith("550" if end == "refuse" else "250")
    arrived = b"".join(desk.writers[0].pieces)
    assert [each.body.whole() for each in desk.admit.dropped] == [arrived]
    taken = [message.body.whole() for message, _ in desk.admit.taken]
    assert len(taken) == {"refuse": 0, "drop": 0, "copy": 2, "senders": 2, "keep": 1}[end]
    assert all(b"X-Seen: yes\r\n" in each for each in taken)
    # One for each content which is kept: two messages never share a file.
    assert len(desk.writers) == 1 + len(taken)


async def test_recipients_with_senders_of_their_own_do_not_share_the_file_which_arrived() -> None:
    class Senders:
        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            event.mail.sender = f"from-{event.mail.rcptto}"

    desk = Desk("large_message_threshold = 4096", policy=Senders())
    await sent(desk, LARGE)
    (first, _), (second, _) = desk.admit.taken
    assert first.body is not second.body
    assert first.body.whole() == second.body.whole()
    assert (len(desk.writers), desk.admit.dropped) == (2, [])


@pytest.mark.parametrize("full", [True, False])
async def test_without_room_for_the_copies_none_is_left_and_the_peer_keeps_the_mail(
    full: bool,
) -> None:
    desk = Desk("large_message_threshold = 4096", policy=Editing("copy"))
    large, count = desk.services.large, 0

    def limited() -> object:
        nonlocal count
        count += 1
        if count == 3:
            raise SpoolError("no room", full=full)
        return large()

    desk.services.large = limited  # type: ignore[assignment]
    talk = await sent(desk, LARGE)
    assert talk.heard()[-1].startswith("452" if full else "451")
    assert len(desk.writers) == len(desk.admit.dropped) == 2
    assert not desk.admit.taken
    assert talk.say("NOOP")[0].startswith("250")


class Unreadable(MemoryBody):
    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        raise Error("a body is missing")


async def test_a_body_which_cannot_be_read_puts_the_message_off() -> None:
    class Reading:
        @on(hooks.DataSpool)
        def swap(self, event: hooks.DataSpool) -> None:
            event.mail.edited.set_body(Unreadable(b"x" * 99999))

    desk = Desk("large_message_threshold = 4096", policy=Reading())
    talk = await sent(desk, LARGE)
    assert talk.heard()[-1] == "451 4.3.0 policy failed"
    assert len(desk.admit.dropped) == 1
    assert "a body is missing" in desk.panics[0]


async def test_a_session_may_end_while_a_copy_is_written() -> None:
    desk = Desk("large_message_threshold = 4096", policy=Editing("copy"))
    desk.slow_disk = True
    talk = desk.greeted()
    body = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 60_000
    talk.send(ENVELOPE + b"DATA\r\n")
    talk.send(body, cut=65536)
    while not talk.reading():
        desk.writers[0].drain()
    desk.writers[0].drain()
    talk.send(b".\r\n")
    for _ in range(20):
        desk.writers[0].drain()
        await turns()
    assert len(desk.writers) == 2
    assert desk.writers[1].backlog < 4 << 20
    talk.lose()
    await turns()
    assert desk.writers[1].aborted
    assert len(desk.admit.dropped) == 1
    assert not desk.admit.taken


def test_what_is_logged_of_a_refusal_has_what_policy_knows_and_who_refused() -> None:
    class Refusing:
        at: type[Hook] = hooks.Accept

        @on(hooks.Connect)
        @on(hooks.Ehlo)
        @on(hooks.MailFrom)
        @on(hooks.RcptTo)
        @on(hooks.RcptToList)
        @on(hooks.DataSpool)
        @on(hooks.EachRcpt)
        def no(self, event: hooks.OfSession | hooks.OfMail) -> Verdict:
            session, mail = event.about
            assert session is not None
            session.variables["seen"] = type(event).name
            if mail is not None:
                mail.message.variables["judged"] = "yes"
            if type(event) is not self.at:
                return CONT
            session.refuse(NO)
            return DONE

    policy = Refusing()
    desk = Desk(policy=policy)
    phases: dict[type[Hook], int] = {
        hooks.Connect: 1, hooks.Ehlo: 2, hooks.MailFrom: 4, hooks.RcptTo: 6, hooks.RcptToList: 8,
        hooks.DataSpool: 9, hooks.EachRcpt: 9,
    }  # fmt: skip
    for at, phase in phases.items():
        policy.at = at
        desk.rejections.clear()
        talk = desk.connect()
        for step in (b"EHLO client.example\r\n", ENVELOPE, b"DATA\r\n", CONTENT + b".\r\n"):
            if not talk.transport.over and not desk.rejections:
                talk.send(step)
        line = desk.rejections[0]
        assert (line.phase, line.code, line.module) == (phase, 550, "Refusing")
        assert line.conn_vars["seen"] == at.name
        assert ("ehlo_domain" in line.conn_vars) == (phase > 1)
        assert ("mailfrom_string" in line.mess_vars) == (phase > 2)
        assert ("rcptto_localpart" in line.mess_vars) == (phase > 4)
        assert line.mess_vars.get("judged") == ("yes" if phase > 2 else None)
        talk.lose()


def test_messages_and_recipients_are_counted_as_the_predefined_variables_say() -> None:
    seen: list[tuple[str | None, ...]] = []

    class Counting:
        @on(hooks.MailFrom)
        @on(hooks.RcptTo)
        @on(hooks.DataSpool)
        def note(self, event: Hook) -> None:
            session, _ = event.about
            assert session is not None
            names = ("connection_message_count", "connection_rcpt_count", "message_rcpt_count")
            seen.append(tuple(session.variables.get(name) for name in names))

    desk = Desk(policy=Counting())
    talk = desk.greeted()
    for _ in range(2):
        talk.send(ENVELOPE + b"DATA\r\n" + CONTENT + b".\r\n")
    assert seen == [
        ("1", None, "0"), ("1", "1", "1"), ("1", "2", "2"), ("1", "2", "2"),
        ("2", "2", "0"), ("2", "3", "1"), ("2", "4", "2"), ("2", "4", "2"),
    ]  # fmt: skip
    assert desk.message.session_variables["connection_message_count"] == "2"
    # A refused one is counted as well: what counts are the commands.
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@far.example>\r\n")
    talk.send(b"RCPT TO:<b@mx.example>\r\n")
    assert seen[-1] == ("3", "6", "2")


def test_a_dropped_message_counts_as_one() -> None:
    class Dropping:
        @on(hooks.Data)
        def drop(self, event: hooks.Data) -> None:
            event.mail.discard()

    desk = Desk(listener="max_idle_commands = 3", policy=Dropping())
    talk = desk.greeted()
    for _ in range(4):
        assert talk.say("RSET")[0].startswith("250")
        assert talk.deliver(CONTENT).startswith("250")


async def test_a_session_which_is_ended_while_the_disk_works_hears_421_and_nothing_more() -> None:
    class Quiet:
        @on(hooks.Data)
        def nothing(self, _event: hooks.Data) -> None: ...

    for policy in (None, Quiet()):
        desk = Desk(policy=policy)
        desk.admit.slow = True
        talk = await sent(desk, CONTENT)
        talk.session.end()
        desk.admit.answer()
        assert talk.heard()[-1].startswith("421")


async def test_a_refusal_at_the_very_end_of_a_session_that_has_gone_is_said_to_nobody() -> None:
    desk = Desk(policy=Editing("keep"))
    desk.admit.slow = True
    talk = await sent(desk, CONTENT)
    talk.session.end()
    heard = talk.heard()
    desk.admit.answer(refused_by_policy(NO))
    assert heard[-1].startswith("421")
    assert talk.heard() == []


async def test_a_thousand_recipients_may_each_have_a_message_of_their_own() -> None:
    class Each:
        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            event.mail.edited.append("X-For", event.mail.rcptto)

    desk = Desk(policy=Each())
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\n")
    talk.send(b"".join(b"RCPT TO:<r%d@mx.example>\r\n" % number for number in range(1000)))
    for _ in range(10):
        desk.timers.run()
    talk.send(b"DATA\r\n" + CONTENT + b".\r\n")
    for _ in range(40):
        await turns()
    assert talk.heard()[-1].startswith("250")
    assert len(desk.admit.taken) == 1000
    for message, recipients in desk.admit.taken:
        (only,) = recipients
        assert f"X-For: {only.address}\r\n".encode() in message.body.whole()


async def test_others_have_their_turn_while_a_thousand_recipients_are_asked_about() -> None:
    turns_taken = 0

    class Each:
        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            event.mail.edited.append("X-For", event.mail.rcptto)
            seen.append(turns_taken)

    seen: list[int] = []
    desk = Desk(policy=Each())
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\n")
    talk.send(b"".join(b"RCPT TO:<r%d@mx.example>\r\n" % number for number in range(100)))
    talk.send(b"DATA\r\n" + CONTENT + b".\r\n")
    while not desk.admit.taken:
        turns_taken += 1
        await asyncio.sleep(0)
    assert max(seen.count(each) for each in seen) <= 16
