"""`ec_dkim_ctl`: the tables are Momentum's, and a change is made whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.programs.dkim import command as dkim
from angarium.run.programs.dkim_table import DATABASE, ec_dkim_ctl


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "dkim_db"


def run(database: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(ec_dkim_ctl, [*words, "--database", str(database)])
    return result.exit_code, result.output


def rows(database: Path, table: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as held:
        return held.execute(f"SELECT domain, selector, keyfile FROM {table}").fetchall()


def test_entries_are_added_and_deleted(database: Path) -> None:
    assert run(database, "--add-dkim", "Example.com,s1,/keys/a,b.key")[0] == 0
    assert run(database, "--add-dk", "example.net,s2,", "--add-dk", "example.org,s3")[0] == 0
    assert rows(database, "ec_dkim_conf") == [("example.com", "s1", "/keys/a,b.key")]
    assert rows(database, "ec_dk_conf") == [("example.net", "s2", ""), ("example.org", "s3", "")]
    assert run(database, "--list") == (
        0,
        "DomainKeys:\n  example.net,s2,\n  example.org,s3,\n"
        "DKIM:\n  example.com,s1,/keys/a,b.key\n",
    )
    assert run(database, "--delete-dkim", "EXAMPLE.com", "--delete-dk", "example.net")[0] == 0
    assert run(database, "--list")[1] == "DomainKeys:\n  example.org,s3,\nDKIM:\n"


def test_what_fails_changes_nothing(database: Path) -> None:
    run(database, "--add-dkim", "example.com,s1,")
    again = run(database, "--add-dkim", "example.net,s1,", "--add-dkim", "example.com,s2,")
    assert again == (1, f"{database}: example.com is there already: delete it first\n")
    assert run(database, "--delete-dk", "example.com")[0] == 1
    assert rows(database, "ec_dkim_conf") == [("example.com", "s1", "")]
    anew = ["--delete-dkim", "example.com", "--add-dkim", "example.com,s2,"]
    assert run(database, *anew)[0] == 0
    assert rows(database, "ec_dkim_conf") == [("example.com", "s2", "")]


def test_only_an_entry_makes_the_database(database: Path) -> None:
    for words in (["--list"], ["--delete-dk", "example.com"]):
        code, output = run(database, *words)
        assert (code, "there is no such database" in output) == (1, True)
    assert not database.exists()
    database.write_bytes(b"no database" * 100)
    assert run(database, "--list")[0] == 1


def test_wrong_usage_is_told(database: Path) -> None:
    for words in ([], ["--add-dk", "example.com"], ["--add-dkim", "a b,s1,"], ["--add-dk", ""]):
        assert run(database, *words)[0] == 2
    assert not database.exists()


def test_it_is_a_subcommand_too_and_knows_its_place(database: Path) -> None:
    given = ["table", "--add-dkim", "example.com,s1,", "--database", str(database)]
    assert CliRunner().invoke(dkim, given).exit_code == 0
    assert DATABASE in CliRunner().invoke(ec_dkim_ctl, ["-h"]).output
    assert CliRunner().invoke(ec_dkim_ctl, ["-V"]).output.startswith("ec_dkim_ctl, version ")
