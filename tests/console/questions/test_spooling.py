"""What a worker's spool has counted."""

from types import SimpleNamespace

from angarium.console.questions.spooling import spooled


def test_what_waits_for_the_disk_is_beside_the_counts() -> None:
    part = SimpleNamespace(
        spool=SimpleNamespace(counts=lambda: {"queued": 3}), admit=SimpleNamespace(submitted=2)
    )
    assert spooled.function(part).values == {"queued": 3, "waiting": 2}
