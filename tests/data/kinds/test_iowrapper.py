"""The content of a file."""

from pathlib import Path

import pytest

from angarium.data.errors import StatementError
from helpers.databank import those
from helpers.databases import asking


async def test_a_file_is_one_row_with_one_column(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one\ntwo \xfc\n")
    async with asking("iowrapper:") as source:
        for query in (f"{tmp_path}/$name", f"file://{tmp_path}/$name"):
            assert await source.query(query, {"name": "text"}) == those({"1": "one\ntwo ü\n"})
        with pytest.raises(StatementError, match="cannot be read"):
            await source.query(f"{tmp_path}/none")
        with pytest.raises(StatementError, match=r"no such IO wrapper.*http"):
            await source.query("http://example.com/")
