"""Sessions whose policy has handlers: each hook in its order, and what it may do."""

import asyncio

import pytest

from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.context import Which
from angarium.policy.hooks import Hook, on
from angarium.policy.parcels import Parcel
from angarium.policy.verdict import CONT, DONE, Verdict
from helpers.reception import Desk

NO = Reply(550, "not today", "5.7.1")
CONTENT = b"From: a@client.example\r\nSubject: hello\r\n\r\nbody\r\n"


class Diary:
    """Notes every hook."""

    def __init__(self) -> None:
        self.seen: list[str] = []

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
    @on(hooks.PostEachRcpt)
    @on(hooks.PostValidateEachRcpt)
    @on(hooks.Dealloc)
    def note(self, event: Hook) -> Verdict:
        self.seen.append(type(event).name)
        return CONT


def test_a_message_meets_the_hooks_in_their_order() -> None:
    diary = Diary()
    desk = Desk(policy=diary)
    talk = desk.greeted()
    assert talk.deliver(CONTENT).startswith("250 2.0.0 OK ")
    talk.say("QUIT")
    talk.lose()
    assert diary.seen == [
        "core_validate_accept",
        "validate_connect",
        "validate_ehlo",
        "validate_mailfrom",
        "validate_rcptto",
        "validate_rcptto_list",
        "validate_rcptto_list_final",
        "validate_data",
        "validate_data_spool",
        "core_pre_msg_each_rcpt",
        "validate_data_spool_each_rcpt",
        "core_post_msg_each_rcpt",
        "post_validate_data_spool_each_rcpt",
        "validate_dealloc",
    ]
    assert len(desk.admit.taken) == 1


def test_a_message_by_chunks_meets_the_hooks_of_the_list_too() -> None:
    diary = Diary()
    desk = Desk(policy=diary)
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nBDAT 12 LAST\r\n")
    talk.send(b"Subject: x\r\n")
    assert talk.heard()[-1].startswith("250 2.0.0 OK")
    assert diary.seen.count("validate_rcptto_list_final") == 1


class Refusing:
    """Says no at one hook."""

    def __init__(self, at: type[Hook], reply: Reply = NO, *, hang_up: bool = False) -> None:
        self.at, self.reply, self.hang_up = at, reply, hang_up

    @on(hooks.Connect)
    @on(hooks.Ehlo)
    @on(hooks.MailFrom)
    @on(hooks.RcptTo)
    @on(hooks.RcptToList)
    @on(hooks.Data)
    @on(hooks.DataSpool)
    @on(hooks.EachRcpt)
    def no(self, event: hooks.OfSession | hooks.OfMail) -> Verdict:
        if type(event) is not self.at:
            return CONT
        assert event.session is not None
        event.session.refuse(self.reply, disconnect=self.hang_up)
        return DONE


def test_a_client_refused_when_it_connects_hears_why_and_has_to_go() -> None:
    talk = Desk(policy=Refusing(hooks.Connect, Reply(554, "no mail", "5.7.1"))).connect()
    assert talk.heard() == ["554 5.7.1 no mail"]
    assert talk.transport.over


@pytest.mark.parametrize(
    ("at", "line"),
    [(hooks.Ehlo, "EHLO x.example"), (hooks.MailFrom, "MAIL FROM:<a@x.example>")],
)
def test_a_refused_command_leaves_the_session(at: type[Hook], line: str) -> None:
    desk = Desk(policy=Refusing(at))
    talk = desk.connect()
    talk.heard()
    if at is hooks.MailFrom:
        talk.say("EHLO x.example")
    assert talk.say(line) == ["550 5.7.1 not today"]
    assert talk.say("NOOP")[0].startswith("250")
    assert desk.rejections[-1].code == 550


def test_a_refused_sender_may_be_followed_by_another_one() -> None:
    policy = Refusing(hooks.MailFrom)
    talk = Desk(policy=policy).greeted()
    talk.say("MAIL FROM:<a@x.example>")
    policy.at = hooks.Data
    assert talk.say("MAIL FROM:<c@x.example>")[0].startswith("250")


def test_a_refused_recipient_leaves_the_others() -> None:
    policy = Refusing(hooks.RcptTo)
    desk = Desk(policy=policy)
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@mx.example>") == ["550 5.7.1 not today"]
    policy.at = hooks.Ehlo
    assert talk.say("RCPT TO:<c@mx.example>")[0].startswith("250")
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    assert [each.address for each in desk.admit.taken[0][1]] == ["c@mx.example"]


@pytest.mark.parametrize("at", [hooks.RcptToList, hooks.Data, hooks.DataSpool, hooks.EachRcpt])
def test_a_message_which_policy_refuses_is_not_ours(at: type[Hook]) -> None:
    desk = Desk(policy=Refusing(at))
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n")
    if at is not hooks.RcptToList:
        talk.send(CONTENT + b".\r\n")
        assert len(desk.admit.dropped) == 1
    assert talk.heard()[-1] == "550 5.7.1 not today"
    assert not desk.admit.taken
    talk.say("RSET")
    assert talk.say("MAIL FROM:<a@client.example>")[0].startswith("250")


def test_whoever_is_to_hang_up_does_when_the_reply_is_said() -> None:
    talk = Desk(policy=Refusing(hooks.MailFrom, NO, hang_up=True)).greeted()
    assert talk.say("MAIL FROM:<a@x.example>") == ["550 5.7.1 not today"]
    assert talk.transport.over


class Editing:
    """Changes what is to be changed."""

    @on(hooks.Ehlo)
    def offer(self, event: hooks.Ehlo) -> None:
        event.session.added.append("XCOURIER")
        event.session.removed.add("SMTPUTF8")

    @on(hooks.MailFrom)
    def sender(self, event: hooks.MailFrom) -> None:
        mail = event.session.mail
        assert mail is not None
        mail.sender = "other@client.example"
        mail.set(Which.MESSAGE, "tenant", "7")
        event.session.variables["seen"] = "yes"

    @on(hooks.RcptToList)
    def recipients(self, event: hooks.RcptToList) -> None:
        mail = event.session.mail
        assert mail is not None
        mail.recipients.append(Recipient("archive@mx.example", "mx.example"))

    @on(hooks.DataSpool)
    def mark(self, event: hooks.DataSpool) -> None:
        event.mail.edited.prepend("X-Seen", "yes")

    @on(hooks.EachRcpt)
    def each(self, event: hooks.EachRcpt) -> None:
        if event.mail.rcptto.startswith("archive"):
            event.mail.edited.replace("Subject", "kept")
            event.mail.sender = ""
        else:
            event.mail.set(Which.MESSAGE, "first", "yes")


def test_what_policy_changes_for_all_and_for_one() -> None:
    desk = Desk(policy=Editing())
    talk = desk.connect()
    talk.heard()
    said = talk.say("EHLO client.example")
    assert any(line[4:] == "XCOURIER" for line in said)
    assert not any("SMTPUTF8" in line for line in said)
    assert talk.deliver(CONTENT).startswith("250")
    (first, to), (second, to_archive) = desk.admit.taken
    assert first.sender == "other@client.example"
    assert second.sender == ""
    assert [each.address for each in to] == ["b@mx.example"]
    assert [each.address for each in to_archive] == ["archive@mx.example"]
    assert first.header.startswith(b"X-Seen: yes\r\nReturn-Path: <other@client.example>")
    assert b"Subject: hello\r\n" in first.body.whole()
    assert b"Subject: kept\r\n" in second.header + second.body.whole()
    assert b"hello" not in second.body.whole()
    assert first.variables["tenant"] == "7"
    assert to[0].variables == {"first": "yes"}
    assert first.session_variables["seen"] == "yes"
    assert first.session_variables["ehlo_domain"] == "client.example"


def test_a_discarded_message_hears_yes_and_goes_nowhere() -> None:
    class Dropping:
        @on(hooks.DataSpool)
        def drop(self, event: hooks.DataSpool) -> None:
            event.mail.discard()

    desk = Desk(policy=Dropping())
    assert desk.greeted().deliver(CONTENT).startswith("250 2.0.0 OK")
    assert not desk.admit.taken
    assert desk.admit.dropped
    assert desk.rejections[-1].text == "discarded by policy"


def test_recipients_may_be_refused_and_dropped_one_by_one() -> None:
    class Choosing:
        @on(hooks.EachRcpt)
        def choose(self, event: hooks.EachRcpt) -> None:
            assert event.session is not None
            name = event.mail.rcptto
            if name.startswith("no"):
                event.session.refuse(NO)
            elif name.startswith("drop"):
                event.mail.discard()

    desk = Desk(policy=Choosing())
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\n")
    for name in ("no", "drop", "b", "c"):
        talk.send(f"RCPT TO:<{name}@mx.example>\r\n".encode())
    talk.send(b"DATA\r\n" + CONTENT + b".\r\n")
    assert talk.heard()[-1].startswith("250")
    ((_, recipients),) = desk.admit.taken
    assert [each.address for each in recipients] == ["b@mx.example", "c@mx.example"]
    assert {each.code for each in desk.rejections} == {550}


@pytest.mark.effect("generate_bounces_for_multi_recipient_policy_rejections")
@pytest.mark.parametrize("reports", [True, False])
def test_a_recipient_refused_beside_others_is_reported_to_the_sender(reports: bool) -> None:
    class Choosing:
        @on(hooks.EachRcpt)
        def choose(self, event: hooks.EachRcpt) -> None:
            assert event.session is not None
            if event.mail.rcptto.startswith("no"):
                event.session.refuse(NO)

    wanted = "true" if reports else "false"
    option = f"generate_bounces_for_multi_recipient_policy_rejections = {wanted}"
    desk = Desk(option, policy=Choosing())
    told: list[str] = []

    def report(message: Message, recipient: Recipient, reply: Reply) -> Parcel:
        told.append(f"{recipient.address} {reply}")
        return Message("", message.body, protocol="internal"), [Recipient(message.sender, "")]

    desk.services.report = report
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<no@mx.example>\r\n")
    talk.send(b"RCPT TO:<b@mx.example>\r\nDATA\r\n" + CONTENT + b".\r\n")
    assert talk.heard()[-1].startswith("250")
    assert told == (["no@mx.example 550 5.7.1 not today"] if reports else [])
    assert len(desk.admit.taken) == 1 + reports


def test_a_recipient_who_is_put_off_puts_the_message_off_for_all() -> None:
    class Later:
        @on(hooks.EachRcpt)
        def choose(self, event: hooks.EachRcpt) -> None:
            assert event.session is not None
            if event.mail.rcptto.startswith("later"):
                event.session.refuse(Reply(450, "later", "4.2.0"))

    desk = Desk(policy=Later())
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n")
    talk.send(b"RCPT TO:<later@mx.example>\r\nDATA\r\n" + CONTENT + b".\r\n")
    assert talk.heard()[-1] == "450 4.2.0 later"
    assert not desk.admit.taken


def test_a_trusted_client_is_whom_policy_trusts() -> None:
    class Trusting:
        @on(hooks.RcptTo)
        def trust(self, event: hooks.RcptTo) -> None:
            event.session.variables["can_relay"] = "true"

    talk = Desk(policy=Trusting()).greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@far.example>")[0].startswith("250")


@pytest.mark.parametrize("trusting", [True, False])
def test_a_handler_sees_the_recipient_to_whom_the_client_may_not_send(trusting: bool) -> None:
    seen: list[str] = []

    class Changing:
        @on(hooks.RcptTo)
        def change(self, event: hooks.RcptTo) -> None:
            mail = event.session.mail
            assert mail is not None
            seen.append(mail.rcptto)
            mail.readdress(f"x-{mail.rcptto}")
            if trusting and mail.rcptto.endswith("far.example"):
                event.session.variables["can_relay"] = "true"

    desk = Desk(policy=Changing())
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@mx.example>")[0].startswith("250")
    assert talk.say("RCPT TO:<c@far.example>")[0].startswith("250" if trusting else "550")
    assert trusting or desk.rejections[-1].phase == 13
    assert talk.say("RCPT TO:<d@far.example>")[0].startswith("250" if trusting else "550")
    assert seen == ["b@mx.example", "c@far.example", "d@far.example"]
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    ((_, recipients),) = desk.admit.taken
    kept = ["x-b@mx.example", "x-c@far.example", "x-d@far.example"]
    assert [each.address for each in recipients] == kept[: 3 if trusting else 1]


def test_a_module_that_is_passed_over_is_not_asked() -> None:
    class Gate:
        @on(hooks.Connect)
        def open(self, event: hooks.Connect) -> None:
            event.session.variables["__bypass_Refusing"] = "true"

    desk = Desk(policy=Gate())
    policing = type(desk.services.policing)(desk.asked(Gate(), Refusing(hooks.MailFrom)), ())
    desk.services.policing = policing
    assert desk.greeted().say("MAIL FROM:<a@x.example>")[0].startswith("250")


def test_a_handler_which_fails_costs_no_mail_and_is_told_of() -> None:
    class Broken:
        @on(hooks.DataSpool)
        def fail(self, event: hooks.DataSpool) -> None:
            raise ValueError("what a pity")

    desk = Desk(policy=Broken())
    assert desk.greeted().deliver(CONTENT) == "451 4.3.0 policy failed"
    assert not desk.admit.taken
    (line,) = desk.panics
    assert "validate_data_spool error: fail: " in line
    assert "test_policed.py:" in line
    assert "ValueError: what a pity (message " in line


async def test_a_handler_which_waits_lets_only_its_own_session_wait() -> None:
    gate = asyncio.Event()

    class Slow:
        @on(hooks.RcptTo)
        async def wait(self, event: hooks.RcptTo) -> Verdict:
            if event.text.startswith("slow"):
                await gate.wait()
                event.session.refuse(NO)
            return CONT

    desk = Desk(policy=Slow())
    slow, fast = desk.greeted(), desk.greeted()
    for talk in (slow, fast):
        talk.say("MAIL FROM:<a@client.example>")
    assert slow.say("RCPT TO:<slow@mx.example>") == []
    assert slow.say("RCPT TO:<b@mx.example>") == []
    assert fast.deliver(CONTENT).startswith("501")  # the second MAIL; its RCPT was taken
    gate.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert [line[:3] for line in slow.heard()] == ["550", "250"]


async def test_a_client_which_leaves_ends_what_waits_for_it() -> None:
    ended = asyncio.Event()

    class Slow:
        @on(hooks.Connect)
        async def wait(self, _event: hooks.Connect) -> Verdict:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return CONT

    desk = Desk(policy=Slow())
    talk = desk.connect()
    await asyncio.sleep(0)
    assert desk.services.policing.sessions == 1
    talk.lose()
    await asyncio.wait_for(ended.wait(), 30)
    assert desk.services.policing.sessions == 0


async def test_a_tarpit_holds_the_answer_back() -> None:
    class Tar:
        @on(hooks.MailFrom)
        def slow_down(self, event: hooks.MailFrom) -> None:
            event.session.tarpit = 0.05

    talk = Desk(policy=Tar()).greeted()
    assert talk.say("MAIL FROM:<a@client.example>") == []
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=30)
    await asyncio.sleep(0)
    assert talk.heard()[0].startswith("250")


@pytest.mark.effect("expensive_batch_assessment")
@pytest.mark.parametrize("compares", [True, False])
def test_equal_copies_are_one_where_somebody_looks(compares: bool) -> None:
    class Tagging:
        @on(hooks.EachRcpt)
        def tag(self, event: hooks.EachRcpt) -> None:
            event.mail.edited.append("X-Tag", "same")

    desk = Desk(policy=Tagging())
    desk.services.compares_batches = compares
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n")
    talk.send(b"RCPT TO:<c@mx.example>\r\nDATA\r\n" + CONTENT + b".\r\n")
    assert talk.heard()[-1].startswith("250")
    assert len(desk.admit.taken) == (1 if compares else 2)
