"""Files of traces, and what is listed of them."""

import os
from pathlib import Path

from angarium.console.questions.tracing import Trace, Writing


def test_what_cannot_be_written_is_lost_and_nothing_else(tmp_path: Path) -> None:
    made = Writing(os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT))
    made.write("one\ntwo")
    made.close()
    made.write("three")
    made.close()
    assert (tmp_path / "a").read_text() == "one\ntwo\n"
    full = Writing(os.open("/dev/full", os.O_WRONLY))
    full.write("one")
    full.write("two")


def test_a_trace_is_one_of_all_workers() -> None:
    one, other = Trace("*", "a.test", "/x", 5.0), Trace("*", "a.test", "/x", 9.0)
    assert one + other == Trace("*", "a.test", "/x", 9.0, 2)
