from types import SimpleNamespace
from typing import cast

from angarium.config.load import load_text
from angarium.modules.means import Means
from helpers.lua import services
from helpers.snippets import run, state


def test_pools_have_the_numbers_of_their_classes() -> None:
    source = """
        local t = msys.threadpool
        return t.find("IO"), t.find(3), t.find("none"), t.find(99), t.count()
    """
    assert run(source) == [1, b"SWAPIN", None, None, 10]


def test_pools_of_the_configuration_are_there() -> None:
    made = services()
    means = SimpleNamespace(configuration=load_text('threadpool "mine" { concurrency = 2 }'))
    made.parts[Means] = cast(Means, means)
    source = 'local t = msys.threadpool; return t.find("mine"), t.count()'
    assert run(source, state(made)) == [10, 11]


def test_a_pool_tells_what_waits() -> None:
    source = """
        local s = msys.threadpool.stat("SWAPIN")
        return s.name, s.invocations, msys.threadpool.stat(1).job_num_queued,
          msys.threadpool.stat("none")
    """
    assert run(source) == [b"SWAPIN", 0, 0, None]
