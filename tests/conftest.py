"""What holds for every test: how long it searches, seeds and sums, what a missing peer means."""

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from helpers.rounds import Draw

# Small by default, so that the whole suite stays quick; `make fuzz` searches for long.
settings.register_profile(
    "small", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many run at once with `-n auto`: tests of servers wait more than they compute."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def program() -> Callable[[str], str]:
    """Find a program of another project, such as swaks; `tools/peers` installs them.

    Where it is missing the test is skipped by name; under CI it fails.
    """

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
        if path is None and os.environ.get("CI"):
            pytest.fail(f"{name} is missing; tools/peers installs it")
        if path is None:
            pytest.skip(f"{name} is missing; as root run tools/peers")
        return path

    return find


# Seeds and sums of tests/helpers/rounds.py.
_DRAW: Final = pytest.StashKey[Draw]()


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> Draw:
    """Return what gives a test its seeds, and remembers the one which failed."""
    draw = request.node.stash[_DRAW] = Draw()
    return draw


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Return what a test counts; sums by file are shown at the end of `make torture`."""
    counts: Counter[str] = Counter()
    yield counts
    request.node.user_properties.append(("tally", dict(counts)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    draw = item.stash.get(_DRAW, None)
    if report.failed and draw is not None and draw.drawn is not None:
        again = f"ANGARIUM_SEED={draw.drawn} .venv/bin/pytest '{item.nodeid}'"
        report.sections.append(("replay", again))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not isinstance(report, pytest.TestReport):
                continue
            name = report.nodeid.partition("::")[0]
            seconds[name] += report.duration  # type: ignore[assignment]
            if report.when == "teardown":
                for key, counts in report.user_properties:
                    if key == "tally" and isinstance(counts, dict):
                        sums[name].update(counts)
    if sums:
        terminalreporter.section("sums")
    for name, counts in sorted(sums.items()):
        terminalreporter.line(f"{name}: {seconds[name]:.0f} s")
        for each, count in counts.items():
            terminalreporter.line(f"    {count:>9,} {each}")
