"""What each name server says by itself."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.mail.auth.asking import at_once
from angarium.run import nameservers
from angarium.run.nameservers import authorities, told
from helpers.dns import DnsServer
from helpers.zones import Records

NAME = "s1._domainkey.example.com"


async def said(zone: Path | None, *servers: str) -> dict[str, tuple[bytes, ...] | None]:
    return {where: records async for where, records in told("example.com", NAME, zone, servers)}


async def test_each_server_is_asked_by_itself() -> None:
    with (
        DnsServer(f"{NAME} TXT a") as first,
        DnsServer("x.example A 192.0.2.1") as second,
        DnsServer(f"{NAME} SERVFAIL") as third,
    ):
        servers = (first.address, second.address, third.address)
        found = await said(None, *servers)
    assert found == {servers[0]: (b"a",), servers[1]: (), servers[2]: None}


async def test_a_zone_file_is_one_who_is_asked(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text(f'{NAME} TXT "a" "b"\n')
    assert await said(tmp_path / "zone") == {str(tmp_path / "zone"): (b"ab",)}


def test_those_of_a_domain_are_the_ones_of_its_zone() -> None:
    zone = Records(
        {
            "example.com": [("NS", "ns1.example.net"), ("NS", "ns2.example.net")],
            "ns1.example.net": [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")],
            "ns2.example.net": [("A", "192.0.2.1")],
            "dead.example": [("TIMEOUT", "")],
        }
    )
    found = ["192.0.2.1", "2001:db8::1"]
    assert at_once(authorities(zone, "example.com")) == found
    assert at_once(authorities(zone, "a.b.example.com")) == found
    assert at_once(authorities(zone, "dead.example")) == []


async def test_without_any_it_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> list[str]:
        return []

    monkeypatch.setattr(nameservers, "authorities", nobody)
    with pytest.raises(Error, match="nobody knows the name servers"):
        await said(None)
