"""What questions find in a worker is what a worker has."""

import inspect

from angarium.console import parts as seen
from angarium.run.parts import Parts


def test_a_worker_has_all_that_questions_may_look_at() -> None:
    names = {name for name, _ in inspect.getmembers(seen.Parts, inspect.isdatadescriptor)}
    names -= {"__weakref__"}
    assert {"board", "spool", "metrics"} <= names
    assert names <= {*Parts.__dataclass_fields__, *vars(Parts)}
