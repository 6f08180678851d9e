"""Where policy says by which binding and domain a message leaves, and signs it."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.journal.errors import DamageError, SpoolError
from angarium.policy import hooks
from angarium.policy.chain import NO_POLICY
from angarium.policy.context import Session
from angarium.policy.hooks import on
from angarium.policy.mail import Mail
from angarium.policy.options import Variables
from angarium.policy.parcels import Parcel
from angarium.queue.admit import NO_DOMAIN, Admit, RefusedError, refused_by_policy
from angarium.queue.rules import Forgetting, rules
from helpers.asking import asked
from helpers.queues import Queues

NO = Reply(550, "no", "5.7.1")


class Door:
    """An admission which asks a module."""

    def __init__(self, module: object) -> None:
        self.queues = Queues()
        self.admit = Admit(self.queues.spool, self.queues.board)
        self.reports: list[tuple[str, Reply]] = []
        self.panics: list[str] = []
        policy = asked(module, panics=self.panics)
        self.admit.rules = rules(policy, self._report, refused_by_policy)
        self.told: list[SpoolError | None] = []

    def _report(self, _message: Message, recipient: Recipient, reply: Reply) -> Parcel | None:
        self.reports.append((recipient.address, reply))
        made = self.queues.message()
        made.sender = ""
        return made, [Recipient("a@x.test", "x.test")]

    def submit(self, *names: str, session: Session | None = None) -> list[Recipient]:
        recipients = [Recipient(f"{name}@y.test", "") for name in names]
        message = self.queues.message()
        self.admit.submit_all([(message, recipients)], self.told.append, session)
        self.queues.spool.sync()
        return recipients

    @property
    def kept(self) -> list[tuple[Message, Recipient]]:
        return list(self.queues.spool.kept.values())


def test_nobody_is_asked_where_nobody_handles_a_hook() -> None:
    assert rules(NO_POLICY, lambda *_: None, refused_by_policy) is None


class Routing:
    @on(hooks.RoutingDomain)
    def route(self, event: hooks.RoutingDomain) -> None:
        if event.mail.rcptto.startswith("far"):
            event.mail.routing_domain = "Hub.Test"

    @on(hooks.SetBinding)
    def bind(self, event: hooks.SetBinding) -> None:
        recipient = event.mail.recipient
        assert recipient is not None
        recipient.binding_group, recipient.binding = "g", "b1"
        if event.mail.rcptto.startswith("first"):
            event.mail.priority = 1


def test_policy_chooses_domain_binding_and_priority_for_each_recipient() -> None:
    door = Door(Routing())
    recipients = door.submit("a", "far", "first")
    assert door.told == [None]
    assert [each.domain for each in recipients] == ["y.test", "hub.test", "y.test"]
    assert {(each.binding_group, each.binding) for each in recipients} == {("g", "b1")}
    assert sorted(message.priority for message, _ in door.kept) == [0, 0, 1]


def test_our_own_mail_is_asked_about_too() -> None:
    door = Door(Routing())
    recipient = Recipient("far@y.test", "")
    door.admit.inject(door.queues.message(), [recipient], door.told.append)
    assert (recipient.domain, recipient.binding) == ("hub.test", "b1")


class Signing:
    """Signs all alike, refuses some."""

    order: list[str]

    def __init__(self) -> None:
        self.order = []

    @on(hooks.FinalValidation2)
    def refuse(self, event: hooks.FinalValidation2) -> None:
        self.order.append("2")
        if event.mail.rcptto.startswith("no"):
            event.refuse(NO)

    @on(hooks.FinalValidation)
    async def sign(self, event: hooks.FinalValidation) -> None:
        self.order.append("1")
        assert event.mail.recipient is not None
        assert event.mail.recipient.binding, "it is known by now"
        event.mail.edited.prepend("Signature", "s")

    @on(hooks.PostFinalValidation)
    def seal(self, event: hooks.PostFinalValidation) -> None:
        self.order.append("post")
        event.mail.edited.prepend("Seal", "s")


async def until(door: Door, count: int) -> None:
    for _ in range(100):
        if len(door.told) >= count:
            return
        await asyncio.sleep(0)


async def test_recipients_who_are_signed_alike_share_one_content() -> None:
    module = Signing()
    door = Door(module)
    door.submit("a", "b")
    await until(door, 1)
    assert door.told == [None]
    messages = {id(message): message for message, _ in door.kept}
    assert len(messages) == 1
    (message,) = messages.values()
    assert message.header.startswith(b"Seal: s\r\nSignature: s\r\n")
    assert module.order[:3] == ["2", "1", "post"]


async def test_who_is_refused_at_the_end_is_reported_if_others_are_not() -> None:
    door = Door(Signing())
    door.submit("a", "no")
    await until(door, 1)
    assert door.reports == [("no@y.test", NO)]
    assert {recipient.address for _, recipient in door.kept} == {"a@y.test", "a@x.test"}


async def test_if_all_are_refused_the_peer_hears_it() -> None:
    for session in (None, Session()):
        door = Door(Signing())
        door.submit("no", "no2", session=session)
        await until(door, 1)
        (error,) = door.told
        assert isinstance(error, RefusedError)
        assert error.reply is NO
        assert door.kept == []
        assert door.queues.spool.forgotten


def test_who_fails_to_choose_refuses_for_now() -> None:
    class Broken:
        @on(hooks.SetBinding)
        def bind(self, event: hooks.SetBinding) -> None:
            raise ValueError("oh")

    door = Door(Broken())
    door.submit("a")
    (error,) = door.told
    assert isinstance(error, RefusedError)
    assert error.reply is not None
    assert error.reply.code == 451
    assert "validate_set_binding error: bind" in door.panics[0]


def test_a_recipient_without_a_domain_is_refused_as_without_policy() -> None:
    door = Door(Routing())
    door.admit.submit_all([(door.queues.message(), [Recipient("a@-", "")])], door.told.append, None)
    assert door.told == [NO_DOMAIN]


@pytest.mark.effect("exclude_vctx_conn", "exclude_vctx_mess")
def test_variables_are_left_out_where_the_options_say_so() -> None:
    options: Any = SimpleNamespace(
        exclude_vctx_conn=load_text('exclude_vctx_conn = ("^scan_")')
        .top(Variables)
        .exclude_vctx_conn,
        exclude_vctx_mess=load_text('exclude_vctx_mess = ("^tmp", "x$")')
        .top(Variables)
        .exclude_vctx_mess,
    )
    message = Queues().message()
    message.variables = {"tmp1": "1", "#tmp": "2", "keep": "3"}
    message.session_variables = {"scan_a": "1", "tmp": "2"}
    recipient = Recipient("a@y.test", "y.test", variables={"box": "1", "k": "2"})
    Forgetting(lambda *_place: options).apply(message, [recipient])
    assert message.variables == {"#tmp": "2", "keep": "3"}
    assert message.session_variables == {"tmp": "2"}
    assert recipient.variables == {"k": "2"}


def test_the_mail_policy_sees_is_for_one_recipient() -> None:
    seen: list[Mail] = []

    class Looking:
        @on(hooks.SetBinding)
        def look(self, event: hooks.SetBinding) -> None:
            seen.append(event.mail)

    Door(Looking()).submit("a", "b")
    assert [each.rcptto for each in seen] == ["a@y.test", "b@y.test"]
    assert all(each.recipient is not None for each in seen)


@pytest.mark.parametrize("why", ["later", "fault", "nowhere"])
async def test_who_is_put_off_at_the_end_puts_off_all(why: str) -> None:
    class Choosing:
        @on(hooks.FinalValidation2)
        def choose(self, event: hooks.FinalValidation2) -> None:
            if event.mail.rcptto.startswith("later"):
                event.refuse(Reply(450, "later", "4.2.0"))
            if event.mail.rcptto.startswith("fault"):
                raise ValueError

        @on(hooks.RoutingDomain)
        def nowhere(self, event: hooks.RoutingDomain) -> None:
            if event.mail.rcptto.startswith("nowhere"):
                event.mail.recipient = Recipient("nobody", "")
                event.mail.recipients[:] = [event.mail.recipient]

    door = Door(Choosing())
    door.submit("a", why, "b")
    await until(door, 1)
    assert [type(each) for each in door.told] == [RefusedError]
    assert (door.kept, door.reports) == ([], [])
    assert len(door.queues.spool.forgotten) == 1


async def test_what_cannot_be_read_for_policy_is_refused_and_freed() -> None:
    class Reading:
        @on(hooks.FinalValidation)
        def read(self, event: hooks.FinalValidation) -> None:
            event.mail.edited.set_body(Gone())

    class Gone:
        size = 5

        def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
            raise DamageError("a body is missing")

        def whole(self) -> bytes:
            raise DamageError("a body is missing")

    door = Door(Reading())
    door.submit("a")
    await until(door, 1)
    assert [type(each) for each in door.told] == [RefusedError]
    assert len(door.queues.spool.forgotten) == 1


async def test_others_have_their_turn_while_many_contents_are_asked_about() -> None:
    seen: list[int] = []
    turns = 0

    class Noting:
        @on(hooks.SetBinding)
        def note(self, _event: hooks.SetBinding) -> None:
            seen.append(turns)

    door = Door(Noting())
    lots = [(door.queues.message(), [Recipient(f"r{n}@y.test", "")]) for n in range(100)]
    door.queues.spool.immediate = True
    door.admit.submit_all(lots, door.told.append, None)
    while not door.told:
        turns += 1
        await asyncio.sleep(0)
    assert (len(seen), door.told) == (100, [None])
    assert max(seen.count(each) for each in seen) <= 16
