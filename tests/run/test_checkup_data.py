"""Whether datasources answer."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from angarium.core.errors import Error
from angarium.data.source import Settings
from angarium.run.checkup import FAIL, OK, SKIPPED
from angarium.run.checkup_data import databases


async def test_each_uri_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "db"
    sqlite3.connect(path).close()
    times = iter([0.0, 0.005, 0.0])
    found = await databases(
        lambda: [
            Settings(name="users", uris=(f"sqlite:{path}", f"sqlite:{path}.none")),
            Settings(name="lists", uris=("csv:",)),
        ],
        lambda: next(times),
    )
    assert [(each.check, each.verdict) for each in found] == [
        ("datasource users", OK), ("datasource users", FAIL), ("datasource lists", SKIPPED),
    ]  # fmt: skip
    assert found[0].found == f"sqlite:{path} answers in 5 ms"
    assert found[1].found == f"sqlite:{path}.none: unable to open database file"
    assert found[1].advice


async def test_a_server_which_is_not_there_is_a_failure() -> None:
    found = await databases(lambda: [Settings(name="x", uris=("redis:host=/nonexistent/s",))])
    assert [each.verdict for each in found] == [FAIL]
    assert "No such file" in found[0].found


async def test_a_missing_password_is_a_failure_and_no_sources_are_none() -> None:
    def missing() -> Sequence[Settings]:
        raise Error("securecreds has no password for a datasource")

    assert [each.verdict for each in await databases(missing)] == [FAIL]
    assert await databases(list) == []
