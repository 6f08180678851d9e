"""What a supervisor gets of the world where nothing else is said."""

from angarium.run.child import spawn
from angarium.run.outside import Outside


def test_two_supervisors_share_nothing_by_accident() -> None:
    one, other = Outside(), Outside()
    assert one.spawn is spawn
    assert one.program is not other.program
    assert one.notify is not other.notify
