"""Files of values separated by commas."""

from pathlib import Path

import pytest

from angarium.data.errors import StatementError
from helpers.databank import those
from helpers.databases import asking

LINES = 'a, "b, c",d\n\n192.0.2.0/24,x\nonly\n'


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "list.csv"
    path.write_text(LINES)
    return str(path)


async def test_each_line_is_a_row_by_place(path: str) -> None:
    async with asking("csv:", max_rows=-1) as source:
        found = await source.query(path)
        assert [row.line for row in found] == [
            ("a", "b, c", "d"), ("192.0.2.0/24", "x"), ("only",),
        ]  # fmt: skip
        found = await source.query(f"{path}?cols=2")
        assert found[2] == {"1": "only", "2": None}
        assert found[0].line == ("a", "b, c")


async def test_the_file_may_be_the_uris_and_lines_are_bounded(path: str) -> None:
    async with asking(f"csv:{path}", max_rows=1) as source:
        assert await source.query("?cols=1") == those({"1": "a"})


async def test_what_is_wrong_is_said(path: str) -> None:
    async with asking("csv:") as source:
        for query, said in (
            (f"{path}.none", "cannot be read.*No such file"),
            (f"{path}?cols=x", "cols is no number"),
            (f"{path}?rows=1", "only cols"),
        ):
            with pytest.raises(StatementError, match=said):
                await source.query(query)
        with pytest.raises(StatementError, match="only read"):
            await source.execute(path)
