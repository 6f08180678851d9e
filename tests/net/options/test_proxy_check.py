"""Options of proxies which make no sense together are faults of the file."""

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text


def binding(*options: str) -> str:
    return 'binding "b" {\n' + "\n".join(options) + "\n}\n"


SERVER = 'ha_proxy_server = "192.0.2.10:2525"'
SOURCE = 'ha_proxy_src_addr = "192.0.2.25"'


@pytest.mark.parametrize(
    "text",
    [
        binding(SERVER, SOURCE),
        binding(SERVER, 'ha_proxy_ipv6_src_addr = "2001:db8::25"'),
        'binding_group "g" {\n' + SERVER + "\n" + binding(SOURCE) + "}\n",
        binding("socks_server = proxy.example"),
        binding("socks_server = proxy.example:1080", "socks_user = me", "socks_pass = x"),
        'binding_group "g" {\nsocks_user = me\n'
        + binding("socks_server = proxy.example", "socks_pass = x")
        + "}\n",
    ],
)
def test_what_makes_sense_is_taken(text: str) -> None:
    load_text(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (binding('ha_proxy_server = "proxy.example"', SOURCE), "has no port"),
        (binding(SERVER), "no address to send from"),
        (binding(SERVER, SOURCE, "socks_server = proxy.example"), "not by both"),
        (binding("socks_server = proxy.example", "socks_pass = x"), "no socks_user"),
        (
            binding("socks_server = p.example", f"socks_user = {'u' * 256}", "socks_pass = x"),
            "255 octets",
        ),
    ],
)
def test_what_makes_none_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_text(text)
    assert any(said in str(each) for each in error.value.faults)
