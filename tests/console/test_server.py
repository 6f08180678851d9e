"""What commands need of a server is what the supervisor gives them."""

import inspect

from angarium.console.server import Applied, Server
from angarium.run.changes import Changes

MEMBERS = [name for name in vars(Server) if not name.startswith("_")]


def test_the_supervisor_has_all_that_commands_need() -> None:
    assert len(MEMBERS) > 5
    made_in_init = {"files"}
    assert set(MEMBERS) - made_in_init <= set(dir(Changes))
    for name in MEMBERS:
        wanted, given = vars(Server)[name], vars(Changes).get(name)
        if inspect.isfunction(wanted) and inspect.isfunction(given):
            assert inspect.iscoroutinefunction(wanted) is inspect.iscoroutinefunction(given), name
            assert list(inspect.signature(wanted).parameters) == list(
                inspect.signature(given).parameters
            ), name


def test_nothing_waits_and_nothing_is_lost_unless_it_is_said() -> None:
    applied = Applied(2, [])
    assert (dict(applied.waiting), list(applied.lost), list(applied.notes)) == ({}, [], [])
