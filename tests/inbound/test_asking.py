"""How a hook is asked, and what its answer means."""

import asyncio
from typing import Any

import pytest

from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.inbound.asking import AskingSession, now
from angarium.policy import hooks
from angarium.policy.hooks import on
from angarium.policy.verdict import Verdict
from helpers.reception import Desk

NO = Reply(550, "no")
YES = Reply(250, "yes")


def asking(call: Any) -> AskingSession:
    """Return a session whose policy calls this at each MAIL."""

    class Module:
        @on(hooks.MailFrom)
        def ask(self, event: hooks.MailFrom) -> Any:
            return call(event)

    made = Desk(policy=Module()).greeted().session
    assert isinstance(made, AskingSession)
    return made


def test_nobody_is_asked_about_a_hook_nobody_handles() -> None:
    here = asking(lambda event: None)
    assert here._ask(hooks.Ehlo, here.context, "x") is None


@pytest.mark.parametrize(
    ("reply", "disconnect", "refusal"),
    [
        (None, False, None), (YES, False, None), (NO, False, NO), (NO, True, NO),
        (None, True, replies.UNAVAILABLE), (YES, True, replies.UNAVAILABLE),
    ],
)  # fmt: skip
def test_a_hook_is_refused_by_a_reply_which_is_not_positive_or_by_hanging_up(
    reply: Reply | None, disconnect: bool, refusal: Reply | None
) -> None:
    def call(event: hooks.MailFrom) -> None:
        event.session.reply, event.session.disconnect = reply, disconnect

    here = asking(call)
    assert here._ask(hooks.MailFrom, here.context, "a@x.test") == refusal
    assert here.context.reply is None


async def test_only_who_waits_is_waited_for() -> None:
    async def call(event: hooks.MailFrom) -> Verdict:
        await asyncio.sleep(0)
        event.session.reply = NO
        return Verdict.DONE

    here = asking(call)
    came: list[Reply | None] = []
    here._then(here._ask(hooks.MailFrom, here.context, "a@x.test"), came.append)
    assert came == []
    for _ in range(20):
        await asyncio.sleep(0)
    assert came == [NO]
    here._then(None, came.append)
    assert came == [NO, None]
    assert await now(NO) is NO
    assert await now(None) is None
