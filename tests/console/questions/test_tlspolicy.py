"""What a worker tells of policies of MTA-STS."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.console.questions.tlspolicy import Domains, Sts, domains, fetched, forgotten, known
from helpers.mail import worker
from helpers.policies import policies
from helpers.queues import Queues


@pytest.fixture
def asked(tmp_path: Path) -> Any:
    queues = Queues()
    made = worker(queues, tmp_path)
    made.demanding = SimpleNamespace(policies=policies(queues.clock, tmp_path))
    return made


def test_what_is_known_is_told_and_nobody_is_asked(asked: Any) -> None:
    found = known.function(asked, "a.test")
    assert (found.asked, found.id, found.mode, found.max_age) == (
        True, "20190429T010101", "enforce", 86400,
    )  # fmt: skip
    assert (found.ttl, found.renewed_in) == (185.0, 86375.0)
    assert known.function(asked, "b.test") == Sts()
    assert domains.function(asked) == Domains(["a.test"])


async def test_one_that_is_fetched_is_of_now(asked: Any) -> None:
    assert (await fetched.function(asked, "a.test")).renewed_in == 86400.0


def test_what_is_forgotten_is_not_known(asked: Any) -> None:
    assert forgotten.function(asked, "a.test") == 1
    assert forgotten.function(asked, "a.test") == 0
    assert known.function(asked, "a.test") == Sts()


def test_of_several_workers_who_asked_last_is_heard() -> None:
    old, new = Sts(True, "1", 5.0, "1", 10.0), Sts(True, "2", 1.0, "2", 20.0)
    assert old + new == new + old == new
    assert Sts() + Sts(True) == Sts(True)
    assert (Domains(["b"]) + Domains(["a", "b"])).names == ["a", "b"]
