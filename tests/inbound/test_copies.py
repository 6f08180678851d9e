"""What becomes of a message for each of its recipients."""

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.inbound import copies
from angarium.policy import hooks
from angarium.policy.chain import NO_POLICY
from angarium.policy.context import Session
from angarium.policy.going import Going, Wait
from angarium.policy.hooks import Hook, on
from angarium.policy.mail import Mail
from helpers.reception import Desk

NO = Reply(550, "no")


def mail(*names: str) -> Mail:
    message = Message("a@x.test", MemoryBody(b"Subject: x\r\n\r\ny\r\n"))
    return Mail(message, [Recipient(f"{name}@y.test", "y.test") for name in names])


def made(whole: Mail, module: object) -> copies.Copies:
    policy = Desk().asked(module)
    found: list[copies.Copies] = []

    async def ask(hook: type[Hook], one: Mail, session: Session | None) -> Reply | None:
        chain = policy.chain(hook)
        if chain is not None:
            await Wait(chain.ask(hook(one, session)))  # type: ignore[call-arg]
        reply = one.reply
        return None if reply is None or reply.positive else reply

    async def run() -> None:
        found.append(await copies.made(whole, ask))

    assert copies.wanted(policy)
    assert Going(run(), lambda: None).begin()
    return found[0]


def test_nobody_is_asked_where_nobody_handles_a_hook() -> None:
    assert not copies.wanted(NO_POLICY)


def test_an_alias_puts_others_in_the_place_of_a_recipient() -> None:
    class Alias:
        @on(hooks.PreEachRcpt)
        def expand(self, event: hooks.PreEachRcpt) -> None:
            if event.mail.rcptto.startswith("all"):
                event.mail.recipients[:] = [
                    Recipient("b@y.test", "y.test"),
                    Recipient("c@z.test", "z.test"),
                ]

        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            if event.mail.rcptto == "c@z.test":
                event.mail.reply = NO

    found = made(mail("a", "all"), Alias())
    assert [each.rcptto for each in found.kept] == ["a@y.test", "b@y.test"]
    assert [(each.rcptto, reply) for each, reply in found.refused] == [("c@z.test", NO)]


def test_an_alias_of_nobody_leaves_nobody() -> None:
    class Alias:
        @on(hooks.PreEachRcpt)
        def expand(self, event: hooks.PreEachRcpt) -> None:
            event.mail.recipients.clear()

    found = made(mail("a"), Alias())
    assert (found.kept, found.refused, found.discarded) == ([], [], [])


def test_who_is_dropped_is_asked_no_more() -> None:
    asked: list[str] = []

    class Dropping:
        @on(hooks.EachRcpt)
        def drop(self, event: hooks.EachRcpt) -> None:
            event.mail.discard()

        @on(hooks.PostEachRcpt)
        def after(self, event: hooks.PostEachRcpt) -> None:
            asked.append(event.mail.rcptto)

    assert len(made(mail("a", "b"), Dropping()).discarded) == 2
    assert asked == []


def test_an_alias_which_stands_for_too_many_is_refused_and_loses_nobody() -> None:
    class Alias:
        @on(hooks.PreEachRcpt)
        def expand(self, event: hooks.PreEachRcpt) -> None:
            event.mail.recipients[:] = [
                Recipient("b@y.test", "y.test") for _ in range(copies.MOST + 1)
            ]

        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            raise AssertionError(event.mail.rcptto)

    found = made(mail("a"), Alias())
    assert [reply for _, reply in found.refused] == [copies.TOO_MANY]
    assert found.kept == []


def test_a_sole_recipient_s_message_is_the_message_itself() -> None:
    class Editing:
        @on(hooks.EachRcpt)
        def each(self, event: hooks.EachRcpt) -> None:
            event.mail.edited.prepend("X-For", event.mail.rcptto)

    alone, both = mail("a"), mail("a", "b")
    [one] = made(alone, Editing()).kept
    assert one is alone
    assert alone.message.header == b"X-For: a@y.test\r\n"
    first, second = made(both, Editing()).kept
    assert both.message.header == b""
    assert (first.message.header, second.message.header) == (
        b"X-For: a@y.test\r\n", b"X-For: b@y.test\r\n",
    )  # fmt: skip
