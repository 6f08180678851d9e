"""What a process tells of itself."""

from angarium.events.metrics import Metrics
from angarium.run.own import Own


def test_a_process_tells_its_memory_and_time() -> None:
    metrics = Metrics()
    Own(metrics).look(1.0)
    values = metrics.snapshot()
    assert values["process_resident"] > 1 << 20  # type: ignore[operator]
    assert values["process_descriptors"] > 2  # type: ignore[operator]
    assert values["process_cpu"] > 0  # type: ignore[operator]
