"""aiohttp asks the worker's resolver, and nobody else."""

import socket

import pytest

from angarium.net.httpnames import Names
from helpers.dns import FakeDns

ZONE = "www.example.com A 192.0.2.1\nwww.example.com AAAA 2001:db8::1\ndead.example SERVFAIL"


@pytest.mark.parametrize(
    ("family", "addresses"),
    [
        (socket.AF_INET, ["192.0.2.1"]),
        (socket.AF_INET6, ["2001:db8::1"]),
        (socket.AF_UNSPEC, ["2001:db8::1", "192.0.2.1"]),
    ],
)
async def test_a_host_has_the_addresses_of_the_family(
    family: socket.AddressFamily, addresses: list[str]
) -> None:
    found = await Names(FakeDns(ZONE)).resolve("www.example.com", 443, family)
    assert [each["host"] for each in found] == addresses
    assert {each["port"] for each in found} == {443}


@pytest.mark.parametrize("host", ["dead.example", "nobody.example"])
async def test_a_host_without_an_address_is_an_error(host: str) -> None:
    names = Names(FakeDns(ZONE))
    with pytest.raises(OSError, match=host):
        await names.resolve(host)
    await names.close()
