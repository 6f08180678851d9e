"""Each process tells its memory, as the kernel counts it."""

import os
from pathlib import Path

from angarium.console.questions.process import Resident, memory, resident

STATUS = """Name:\tpython
VmSize:\t  4000 kB
VmHWM:\t  3000 kB
VmRSS:\t  2000 kB
RssAnon:\t 1500 kB
RssFile:\t  400 kB
RssShmem:\t  100 kB
"""


def test_the_memory_is_that_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    found = resident(tmp_path / "status")
    assert found == Resident(2000 * 1024, 3000 * 1024, 500 * 1024, 4000 * 1024)
    assert found + found == Resident(4000 * 1024, 6000 * 1024, 1000 * 1024, 8000 * 1024)


def test_it_comes_by_the_number_of_the_process() -> None:
    [(number, row)] = memory.function(None).rows.items()
    assert number == str(os.getpid())
    assert row.peak >= row.resident > row.shared > 0
