"""Whom a program asks about names."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from angarium.core.errors import Error
from angarium.mail.auth.asking import NoSuchName
from angarium.run.names import asks_names, names
from helpers.dns import DnsServer


async def test_a_zone_file_is_asked_or_name_servers(tmp_path: Path) -> None:
    path = tmp_path / "zone"
    path.write_text("a.example TXT hello")
    async with names(path) as ask:
        assert await ask("a.example", "TXT") == (b"hello",)
    with DnsServer("a.example TXT other") as server:
        async with names(None, [f"127.0.0.1:{server.port}"]) as ask:
            assert await ask("a.example", "TXT") == (b"other",)
            with pytest.raises(NoSuchName):
                await ask("b.example", "TXT")


async def test_a_server_which_is_none_is_told() -> None:
    with pytest.raises(Error):
        async with names(None, ["not an address"]):
            pass


def test_a_command_is_given_the_options(tmp_path: Path) -> None:
    @click.command()
    @asks_names
    def command(zone: Path | None, servers: tuple[str, ...]) -> None:
        click.echo(f"{zone} {servers}")

    (tmp_path / "z").write_text("")
    result = CliRunner().invoke(command, ["--zone", str(tmp_path / "z"), "--dns", "192.0.2.1"])
    assert result.output == f"{tmp_path}/z ('192.0.2.1',)\n"
