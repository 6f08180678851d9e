"""Mail back to who tries out signatures: about the message he sent, and about no other one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.journal.errors import SpoolError
from angarium.modules.sign.reflect import MAX_PENDING, SUBJECT, Reflection, due, send, wanted
from angarium.policy.context import Session
from angarium.policy.hooks import Data
from angarium.policy.injected import DEEPEST, VARIABLE, TooDeepError
from helpers.authentic import Way
from helpers.objects import mail

ONE = Reflection("us@a.example", ("b@b.example",))


def test_it_is_due_once_and_for_the_message_it_was_wanted_for() -> None:
    session = Session()
    mail(session=session)
    wanted(session, ONE)
    assert due(session) == [ONE]
    assert due(session) == []
    wanted(session, ONE)
    mail(session=session)
    assert due(session) == []


def test_there_are_not_more_than_a_few() -> None:
    session = Session()
    mail(session=session)
    for _ in range(MAX_PENDING + 5):
        wanted(session, ONE)
    assert len(due(session)) == MAX_PENDING


def sender(folder: Path, error: SpoolError | None = None) -> tuple[Any, list[Any]]:
    sent: list[Any] = []

    def inject(message: Any, recipients: Any, done: Any) -> None:
        sent.append((message, recipients))
        done(error)

    way = Way(folder, "", admit=SimpleNamespace(inject=inject))
    return way.means, sent


async def test_it_has_the_outcome_and_the_message(tmp_path: Path) -> None:
    means, sent = sender(tmp_path)
    session = Session()
    one = mail(session=session)
    send(means, ONE, one, [], Data(one, session))
    [(message, [recipient])] = sent
    content = message.body.whole().decode()
    assert (message.sender, recipient.address) == ("", "b@b.example")
    assert f"Subject: {SUBJECT}\r\n" in content
    assert "Auto-Submitted: auto-replied" in content
    assert "dkim=3Dnone" in content
    assert "Text one" in content


async def test_mail_about_such_mail_ends(tmp_path: Path) -> None:
    means, sent = sender(tmp_path)
    session = Session()
    one = mail(session=session)
    one.message.session_variables[VARIABLE] = str(DEEPEST)
    with pytest.raises(TooDeepError):
        send(means, ONE, one, [], Data(one, session))
    assert not sent


async def test_what_is_not_taken_is_told(tmp_path: Path) -> None:
    means, _ = sender(tmp_path, SpoolError("full"))
    told: list[str] = []
    means.tell = lambda level, text: told.append(text)
    session = Session()
    one = mail(session=session)
    send(means, ONE, one, [], Data(one, session))
    assert told == ["a reflection was not taken: full"]
