import asyncio
import random
from typing import Any

import pytest

from angarium.lab.received import Counts
from angarium.lab.script import Answer, Babble, Deed, End, Play, Script
from angarium.lab.speech import Speech

OK = Answer(250, b"250 ok\r\n")


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


class Case:
    def __init__(self) -> None:
        self.wire = Wire()
        self.counts = Counts()
        self.speech = Speech(self.wire, Play(Script(), random.Random(1)), self.counts)
        self.went_on = asyncio.Event()

    def perform(self, deed: Deed, usual: Answer | None = OK) -> bool:
        done = self.speech.perform(deed, usual, self.went_on.set)
        self.speech.flush()
        return done


async def test_what_takes_no_time_is_done_at_once() -> None:
    case = Case()
    assert case.perform(Deed())
    assert case.wire.sent == b"250 ok\r\n"
    assert not case.speech.busy


async def test_the_script_has_its_own_answer() -> None:
    case = Case()
    assert case.perform(Deed(answer=Answer(550, b"550 no\r\n")))
    assert case.wire.sent == b"550 no\r\n"


async def test_what_was_said_before_a_delay_is_not_held_back() -> None:
    case = Case()
    case.speech.say(b"first\r\n")
    assert not case.perform(Deed(delay=0.001))
    assert case.wire.sent == b"first\r\n"
    assert case.speech.busy
    await case.went_on.wait()
    case.speech.flush()
    assert case.wire.sent == b"first\r\n250 ok\r\n"
    assert not case.speech.busy


async def test_a_lost_connection_ends_what_is_waited_for() -> None:
    case = Case()
    case.perform(Deed(delay=0.001))
    case.speech.lost()
    await asyncio.sleep(0.003)
    assert case.wire.sent == b""
    assert not case.went_on.is_set()


async def test_a_trickle_says_all_before_it_goes_on() -> None:
    case = Case()
    assert not case.perform(Deed(trickle=1e-6))
    assert case.wire.sent == b"2"
    await case.went_on.wait()
    assert case.wire.sent == b"250 ok\r\n"


@pytest.mark.parametrize("code", [221, 421])
async def test_a_code_which_says_so_closes(code: int) -> None:
    case = Case()
    answer = Answer(code, b"bye\r\n")
    assert not case.perform(Deed(answer=answer))
    assert (case.wire.sent, case.wire.closed) == (b"bye\r\n", True)


async def test_an_end_without_an_answer_says_nothing_and_is_counted() -> None:
    case = Case()
    assert not case.perform(Deed(answers=False, end=End.HANG))
    assert (case.wire.sent, case.wire.closed, case.speech.end) == (b"", False, End.HANG)
    assert case.counts.ends == {"hang": 1}


async def test_babble_without_an_answer_is_babble_all_the_same() -> None:
    case = Case()
    assert case.perform(Deed(babble=Babble.UNSOLICITED), None)
    assert case.wire.sent == b"250 2.0.0 nobody asked\r\n"
