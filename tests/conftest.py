"""What holds for every test: how long property tests search, and what a missing peer means."""

import os

from hypothesis import HealthCheck, settings

# Small by default, so that the whole suite stays quick; `make fuzz` searches for long.
settings.register_profile(
    "small", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))
