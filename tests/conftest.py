"""What holds for every test: how long property tests search, and what a missing peer means."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Small by default, so that the whole suite stays quick; `make fuzz` searches for long.
settings.register_profile(
    "small", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))


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
