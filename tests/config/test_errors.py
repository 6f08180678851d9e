"""Faults as they are told, and their bounds."""

import pytest

from angarium.config.errors import (
    MAX_ALIKE,
    MAX_ERRORS,
    MAX_TOLD,
    SHOWN,
    TOLD,
    ConfigError,
    Fault,
    Faults,
    Severity,
    told,
)


def note(line: int, message: str) -> Fault:
    return Fault("a", line, 1, message, severity=Severity.NOTE)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("a", 3, 7, "wrong"), "a:3:7: wrong"),
        (Fault("a", 3, 7, "wrong", "write right"), "a:3:7: wrong; write right"),
        (Fault("a", 0, 0, "wrong"), "a: wrong"),
        (note(3, "odd"), "a:3:1: note: odd"),
    ],
)
def test_a_fault_is_told_with_its_place_and_advice(fault: Fault, text: str) -> None:
    assert str(fault) == text


def test_an_error_tells_the_first_faults_and_how_many_there_are() -> None:
    text = str(ConfigError([Fault("a", n, 1, "wrong") for n in range(1, SHOWN + 6)]))
    assert text.splitlines()[0] == "a:1:1: wrong"
    assert text.splitlines()[-1] == "and 5 more"


def test_only_errors_fill() -> None:
    faults = Faults([])
    for line in range(MAX_ERRORS * 2):
        faults.add(note(line, "odd"))
    assert not faults.full
    for line in range(MAX_ERRORS):
        assert not faults.full
        faults.add(Fault("a", line, 1, "wrong"))
    assert faults.full


def test_notes_alike_are_counted() -> None:
    faults = Faults([])
    for line in range(MAX_ALIKE + 7):
        faults.add(note(line, f"odd, as in line {line}"))
    faults.add(note(99, "strange"))
    faults.close()
    assert len(faults.found) == MAX_ALIKE + 1
    last = MAX_ALIKE - 1
    assert faults.found[last].message == f"odd, as in line {last}; and in 7 more places"


def test_different_notes_have_an_end_which_is_told() -> None:
    faults = Faults([])
    for line in range(MAX_TOLD + 3):
        faults.add(note(line, "odd " + "x" * line))
    faults.close()
    assert len(faults.found) == MAX_TOLD + 1
    assert faults.found[-1].message == "3 more notes and warnings are not told"


def test_a_server_tells_the_worst_and_where_the_others_are() -> None:
    notes = [note(n, "odd") for n in range(1, TOLD + 5)]
    notes.append(Fault("a", 99, 1, "strange", severity=Severity.WARNING))
    lines = told(notes, "/etc/ecelerity.conf")
    assert lines[0] == "a:99:1: warning: strange"
    assert len(lines) == TOLD + 1
    assert lines[-1] == (
        "and 5 more notes and warnings: run `angarium config check /etc/ecelerity.conf`"
    )
    assert told(notes[:2], "x") == ["a:1:1: note: odd", "a:2:1: note: odd"]
