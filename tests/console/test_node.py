"""What commands see of the processes."""

import dataclasses

import pytest

from angarium.console.node import Member, nobody
from angarium.console.question import Of


def test_a_process_is_as_it_was_looked_at() -> None:
    member = Member("worker 0", 12, Of.WORKER, 1.0, ready=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        member.pid = 13  # type: ignore[misc]
    nobody("a line")  # is said to nobody
