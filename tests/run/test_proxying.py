"""Which proxies a configuration has, and how it has them looked at."""

import pytest

from angarium.config.kinds import Place
from angarium.config.load import load_text
from angarium.outbound.proxies import Health
from angarium.run.proxying import health, servers

BINDINGS = """
binding_group "g" {
  ha_proxy_server = "a.test:1"
  ha_proxy_src_addr = "192.0.2.1"
  binding "one" { }
  binding "two" { ha_proxy_server = "b.test:2" }
}
binding "three" { ha_proxy_server = "b.test:2" }
binding "four" { }
"""


def test_the_proxies_are_those_of_all_bindings() -> None:
    assert servers(load_text(BINDINGS)) == [Place("a.test", 1), Place("b.test", 2)]
    assert servers(load_text("")) == []


@pytest.mark.effect("ha_proxy_client.health_check_timeout", "ha_proxy_client.enabled")
def test_the_module_says_how_they_are_looked_at() -> None:
    assert health(load_text("")) is None
    assert health(load_text("ha_proxy_client { enabled = false }")) is None
    assert health(load_text("ha_proxy_client { }")) == Health(5.0, 1.0, 3, 3)
    text = "health_check_timeout = 7 health_check_failure_threshold = 2"
    found = health(load_text(f"ha_proxy_client {{ {text} }}"))
    assert found == Health(5.0, 7.0, 2, 3)
