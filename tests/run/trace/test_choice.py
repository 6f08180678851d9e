"""Which records are wanted."""

import pytest

from angarium.run.trace.choice import Choice, equal
from angarium.run.trace.records import Record


def record(code: str, at: float = 5.0, **fields: str) -> Record:
    return Record(code, str(int(at)), at, "id", fields, "")


R = record(
    "R", sender_local="Me", sender_domain="A.test", local="you", domain="b.test", source="ip"
)
D = record("D", domain="b.test", binding="x", destination="host")
REFUSAL = Record("", "5", 5.0, "c", {}, "", {"k": "v"}, {"m": ""})


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), "RD!"),
        (Choice(main_only=True), "RD"),
        (Choice(kinds=frozenset("D")), "D"),
        (Choice(start=6.0), ""),
        (Choice(end=4.0), ""),
        (Choice(start=5.0, end=5.0), "RD!"),
        (Choice(idents=frozenset({"id"})), "RD"),
        (Choice(idents=frozenset({"x"})), ""),
        (Choice(domains=[equal("B.test")]), "RD"),
        (Choice(message={"sender": [equal("<me@a.test>")]}), "R"),
        (Choice(message={"sender": [equal("x"), equal("me@a.test")]}), "R"),
        (Choice(message={"sender": [equal("me@a.test")], "source": [equal("other")]}), ""),
        (Choice(attempt={"binding": [equal("x")]}), "D"),
        (Choice(attempt={"binding": [equal("y")]}), ""),
        (Choice(conn=[("k", None)]), "!"),
        (Choice(conn=[("k", equal("v"))], mess=[("m", equal(""))]), "!"),
        (Choice(conn=[("k", equal("w"))]), ""),
        (Choice(mess=[("no", None)]), ""),
    ],
)
def test_which_are_taken(choice: Choice, taken: str) -> None:
    names = {"R": R, "D": D, "!": REFUSAL}
    assert "".join(name for name, each in names.items() if choice.takes(each, None)) == taken


def test_a_test_of_the_message_chooses_all_its_records() -> None:
    choice = Choice(message={"sender": [equal("me@a.test")]})
    assert choice.begins(R)
    assert not choice.begins(D)
    assert choice.takes(D, {"id"})
    assert not choice.takes(D, set())


def test_no_sender_is_equal_to_empty_brackets() -> None:
    assert equal("<>")("")
    assert not equal("<>")("a")
