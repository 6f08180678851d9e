"""A question is declared where it is answered, and put by who knows only its name and types."""

from collections.abc import AsyncIterator, Generator

import msgspec
import pytest

from angarium.console.question import QUESTIONS, Answers, Of, QuestionError, known, question
from angarium.console.sums import Counts


class Parts:
    sizes = (3, 4)


@question("test sizes")
def sizes(worker: Parts, factor: int = 1) -> Generator[None, None, Counts]:
    """Return sizes."""
    yield
    return Counts({"size": float(sum(worker.sizes) * factor)})


@question("test lines", of=Of.HOSE)
async def lines(_worker: Parts) -> AsyncIterator[str]:
    """Yield lines."""
    yield "one"


@question("test waiting")
async def waiting(_worker: Parts, names: tuple[str, ...]) -> list[str]:
    """Return what was given."""
    return list(names)


def test_to_call_a_question_is_to_make_what_is_sent() -> None:
    asking = sizes(3)
    assert (asking.name, asking.of, asking.answer) == ("test sizes", Of.WORKER, Counts)
    assert msgspec.msgpack.decode(asking.arguments) == {"factor": 3}
    assert lines().answer is None
    assert waiting(("a",)).answer == list[str]


async def test_it_runs_on_the_parts_of_who_is_asked() -> None:
    begun = known("test sizes").begin(Parts(), sizes(2).arguments)
    assert next(begun) is None
    with pytest.raises(StopIteration) as end:
        next(begun)
    assert end.value.value == Counts({"size": 14.0})
    assert await known("test waiting").begin(Parts(), waiting(("a", "b")).arguments) == ["a", "b"]


@pytest.mark.parametrize("octets", [b"", b"\x81\xa5other\x01", b"\x81\xa6factor\xa1x"])
def test_arguments_which_do_not_fit_are_refused(octets: bytes) -> None:
    with pytest.raises(QuestionError, match="is not asked like this"):
        known("test sizes").begin(Parts(), octets)


def test_an_answer_of_another_kind_is_refused() -> None:
    with pytest.raises(QuestionError, match="is not answered like this"):
        sizes().decoded(b"\x01")


def test_a_question_nobody_knows_is_refused() -> None:
    with pytest.raises(QuestionError, match="there is no question nothing"):
        known("nothing")
    assert "process memory" in QUESTIONS  # The files of questions were read by then.


def test_answers_add_up_and_who_is_missing_is_named() -> None:
    each = {"worker 0": Counts({"a": 1}), "worker 1": Counts({"a": 2, "b": 1})}
    answers = Answers(each, ("worker 2",), {"hose": "it has ended"})
    assert answers.total == Counts({"a": 3, "b": 1})
    assert answers.missing == [
        "worker 2 does not answer: it is left out",
        "hose is left out: it has ended",
    ]
    assert Answers[Counts]().total is None
