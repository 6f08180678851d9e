"""What holds at a place: the fallback of the manual, with its own examples and more."""

import re

import pytest

from angarium.config.load import load_text
from angarium.config.resolve import Configuration, Endpoint, Recent
from angarium.core.errors import Error
from angarium.inbound.options import Conformance, Reception
from angarium.modules.loggers.options.logs import EcLogger
from angarium.net.options.sockets import ListenSocket
from angarium.outbound.options import Transport
from angarium.queue.options import HostLimits, ServerLimits, Shape
from angarium.run.options import EventLoop, Node, Security

# Facts of the manual's examples 15.1 to 15.3.
DOMAINS = """
max_outbound_connections = 40
domain "example.com" { max_outbound_connections = 20 }
domain "someotherexample.com" { max_resident_active_queue = 500 }
"""
BINDINGS = """
message_expiration = 86400
binding "example" { message_expiration = 3600 }
domain "example.com" { message_expiration = 120 }
binding "example2" {
  message_expiration = 7200
  domain example.com { message_expiration = 86401 }
  domain "anotherexample.com" { max_resident_active_queue = 500 }
}
binding "example3" {
  domain "example.com" { max_resident_active_queue = 500 }
  domain "anotherexample.com" { message_expiration = 86402 }
}
"""
GROUPS = """
max_outbound_connections = 30
binding_group "group1" {
  max_outbound_connections = 5
  binding "example" { max_outbound_connections = 15 domain "example.com" { } }
}
"""


@pytest.mark.parametrize(
    ("domain", "value"), [("example.com", 20), ("someotherexample.com", 40), ("other.com", 40)]
)
def test_a_domain_without_the_option_falls_back_to_global(domain: str, value: int) -> None:
    shape = load_text(DOMAINS).at(Shape, group="default", binding="default", domain=domain)
    assert shape.max_outbound_connections == value


@pytest.mark.parametrize(
    ("binding", "domain", "value"),
    [
        ("default", "other.com", 86400),
        ("default", "example.com", 120),
        ("example", "example.com", 3600),
        ("example2", "example.com", 86401),
        ("example2", "anotherexample.com", 7200),
        ("example2", "other.com", 7200),
        ("example3", "anotherexample.com", 86402),
        ("example3", "example.com", 120),
        ("example3", "other.com", 86400),
    ],
)
def test_a_binding_is_asked_before_the_global_domain(
    binding: str, domain: str, value: float
) -> None:
    shape = load_text(BINDINGS).at(Shape, group="default", binding=binding, domain=domain)
    assert shape.message_expiration == value


@pytest.mark.parametrize(
    ("group", "binding", "value"),
    [("group1", "example", 15), ("group1", "other", 5), ("default", "default", 30)],
)
def test_a_group_is_asked_after_its_binding(group: str, binding: str, value: int) -> None:
    shape = load_text(GROUPS).at(Shape, group=group, binding=binding, domain="example.com")
    assert shape.max_outbound_connections == value


# Every place which can set an option for one message, the most specific first.
OUTBOUND = [
    "binding_group g { binding b { domain d.com { max_retries = %d } } }",
    "binding b { domain d.com { max_retries = %d } }",
    "binding_group g { domain d.com { max_retries = %d } }",
    "binding_group g { binding b { max_retries = %d } }",
    "binding b { max_retries = %d }",
    "binding_group g { max_retries = %d }",
    "domain d.com { max_retries = %d }",
    "max_retries = %d",
]


@pytest.mark.parametrize("first", range(len(OUTBOUND)))
def test_the_most_specific_of_all_outbound_places_counts(first: int) -> None:
    text = "\n".join(each % number for number, each in enumerate(OUTBOUND) if number >= first)
    shape = load_text(text).at(Shape, group="g", binding="b", domain="d.com")
    assert shape.max_retries == first


INBOUND = [
    "esmtp_listener { listen *:25 { peer 10.0.0.0/24 { max_message_size = %d } } }",
    "esmtp_listener { peer 10.0.0.0/24 { max_message_size = %d } }",
    "esmtp_listener { listen *:25 { max_message_size = %d } }",
    "esmtp_listener { max_message_size = %d }",
    "pathway_group g { pathway p { max_message_size = %d } }",
    "pathway p { max_message_size = %d }",
    "pathway_group g { max_message_size = %d }",
]
CHOSEN = "\nesmtp_listener { pathway = p listen *:25 { } } pathway_group g { pathway p { } }"


@pytest.mark.parametrize("first", range(len(INBOUND)))
def test_the_most_specific_of_all_inbound_places_counts(first: int) -> None:
    text = "\n".join(each % number for number, each in enumerate(INBOUND) if number >= first)
    found = load_text(text + CHOSEN).at(
        Reception, listener="esmtp_listener", listen="*:25", peer="10.0.0.7"
    )
    assert found.max_message_size == first


def test_a_pathway_may_be_chosen_while_running() -> None:
    conf = load_text("pathway a { require_ehlo = true } pathway b { relay_domains = ( x.com ) }")
    place = {"listener": "esmtp_listener", "listen": "*:25", "peer": "::1"}
    assert conf.at(Reception, pathway="a", **place).require_ehlo
    assert conf.at(Conformance, pathway="b", **place).relay_domains == ("x.com",)
    assert not conf.at(Reception, pathway="gone", **place).require_ehlo


def test_the_most_specific_peer_of_a_container_counts_alone() -> None:
    conf = load_text("""
        esmtp_listener {
          peer 10.0.0.0/8 { max_message_size = 8 idle_time = 8 }
          peer 10.0.0.0/24 { max_message_size = 24 }
        }""")
    found = conf.at(Reception, listener="esmtp_listener", peer="10.0.0.1")
    assert (found.max_message_size, found.idle_time) == (24, 0.0)


def test_a_client_of_a_unix_socket_and_a_mapped_one_match_as_their_ipv4_address() -> None:
    conf = load_text("""
        esmtp_listener {
          peer 127.0.0.1 { max_message_size = 1 }
          peer 10.0.0.1 { max_message_size = 2 }
        }""")
    at = conf.at
    assert at(Reception, listener="esmtp_listener", peer="").max_message_size == 1
    assert at(Reception, listener="esmtp_listener", peer="::ffff:10.0.0.1").max_message_size == 2


def test_relay_hosts_of_a_listener_replace_the_global_ones() -> None:
    conf = load_text("relay_hosts = 10.0.0.1 esmtp_listener { relay_hosts = 10.0.0.2 }")
    found = conf.at(Reception, listener="esmtp_listener", peer="10.0.0.9").relay_hosts
    assert [str(each) for each in found] == ["10.0.0.2/32"]


@pytest.mark.parametrize(
    ("domain", "value"),
    [("a.example.com", 1), ("example.com", 2), ("EXAMPLE.net", 3), ("x.org", 4)],
)
def test_patterns_hold_for_domains_without_a_stanza_in_file_order(domain: str, value: int) -> None:
    conf = load_text(r"""
        max_retries = 4
        domain "/[.]EXAMPLE\.com$/" { max_retries = 1 }
        domain "/example/" { max_retries = 3 }
        domain example.com { max_retries = 2 }
    """)
    assert conf.at(Shape, domain=domain.lower()).max_retries == value


def test_patterns_are_tried_at_each_level() -> None:
    conf = load_text("""
        binding b { domain "/com$/" { max_retries = 1 } }
        domain example.com { max_retries = 2 message_expiration = 5 }
    """)
    shape = conf.at(Shape, group="default", binding="b", domain="example.com")
    assert (shape.max_retries, shape.message_expiration) == (1, 5.0)


HOSTS = """
max_outbound_connections = 5
outbound_throttle_messages = 50
host mx.example.com { max_outbound_connections = 1 }
host "/[.]net$/" { outbound_throttle_messages = 3/60 }
binding b { host mx.example.com { max_outbound_connections = 2 } }
binding_group g {
  host mx.example.com { max_outbound_connections = 3 }
  binding c { host mx.example.com { max_outbound_connections = 4 } }
}
"""


@pytest.mark.parametrize(
    ("group", "binding", "host", "value"),
    [
        ("default", "default", "mx.example.com", 1),
        ("default", "b", "mx.example.com", 2),
        ("g", "other", "mx.example.com", 3),
        ("g", "c", "mx.example.com", 4),
        ("g", "b", "mx.example.com", 3),
        ("default", "b", "mx2.example.com", -1),
        ("default", "b", "mx.example.net", -1),
    ],
)
def test_a_host_does_not_fall_back(group: str, binding: str, host: str, value: int) -> None:
    limits = load_text(HOSTS).at(HostLimits, group=group, binding=binding, host=host)
    assert limits.max_outbound_connections == value


def test_a_throttle_of_a_host_does_not_fall_back_and_a_pattern_is_one_counter() -> None:
    conf = load_text(HOSTS)
    assert conf.at(HostLimits, host="mx.example.com").outbound_throttle_messages is None
    one = conf.at(HostLimits, host="a.net").outbound_throttle_messages
    other = conf.at(HostLimits, group="g", binding="c", host="b.net").outbound_throttle_messages
    assert one is not None
    assert one is other
    assert one.key == "outbound_throttle_messages host /[.]net$/ 3/60"


def test_throttles_are_shared_by_all_who_fall_back_to_one_stanza() -> None:
    conf = load_text("""
        outbound_throttle_messages = 100
        binding b { outbound_throttle_messages = 5/10 }
        domain "/[.]fr$/" { outbound_throttle_messages = 3 scope_max_outbound_connections = 9 }
    """)

    def key(binding: str, domain: str) -> str:
        shape = conf.at(Shape, group="default", binding=binding, domain=domain)
        assert shape.outbound_throttle_messages is not None
        return shape.outbound_throttle_messages.key

    assert key("default", "a.com") == key("other", "b.com") == "outbound_throttle_messages 100/1"
    assert key("b", "a.com") == key("b", "a.fr") == "outbound_throttle_messages binding b 5/10"
    assert key("x", "a.fr") == key("y", "b.fr") == "outbound_throttle_messages domain /[.]fr$/ 3/1"
    cap = conf.at(Shape, domain="a.fr").scope_max_outbound_connections
    assert cap is not None
    assert (cap.count, cap.key) == (9, "scope_max_outbound_connections domain /[.]fr$/")


def test_a_cap_of_connections_of_a_binding_is_counted_by_binding() -> None:
    conf = load_text("server_max_outbound_connections = 100 binding b { "
                     "server_max_outbound_connections = 3 }")  # fmt: skip
    server = conf.top(ServerLimits).server_max_outbound_connections
    binding = conf.at(Shape, group="default", binding="b").server_max_outbound_connections
    assert server is not None
    assert binding is not None
    assert (server.count, server.key) == (100, "server_max_outbound_connections")
    assert (binding.count, binding.key) == (3, "server_max_outbound_connections binding b")


def test_places_with_equal_options_share_one_object() -> None:
    conf = load_text("domain a.com { max_retries = 1 } binding b { bind_address = 10.0.0.1 }")
    one = conf.at(Shape, group="default", binding="b", domain="x.com")
    other = conf.at(Shape, group="default", binding="default", domain="y.com")
    assert one is other
    assert conf.at(Shape, group="default", binding="b", domain="a.com") is not one
    assert conf.at(Transport, group="default", binding="b", domain="x.com").bind_address != "*"


def test_a_place_asked_twice_gives_the_same_object() -> None:
    conf = load_text("")
    assert conf.at(Shape, domain="x.com") is conf.at(Shape, domain="x.com")


@pytest.mark.parametrize(
    ("text", "bindings"),
    [
        ("", [("default", "default")]),
        ("binding b { }", [("default", "default"), ("default", "b")]),
        ("binding_group g { binding b { } binding c { } }",
         [("default", "default"), ("g", "b"), ("g", "c")]),
        ("binding b { } binding_group g { binding b { } }", [("default", "default"), ("g", "b")]),
        ("binding_group default { binding default { } }", [("default", "default")]),
    ],
)  # fmt: skip
def test_bindings_are_named_with_their_groups(text: str, bindings: list[tuple[str, str]]) -> None:
    assert load_text(text).bindings() == bindings


def test_listens_are_the_enabled_sockets() -> None:
    conf = load_text("""
        esmtp_listener {
          listen_backlog = 7
          listen ":25" { } listen "[*]:26" { } listen "[::1]:27" { listen_backlog = 8 }
          listen "127.0.0.1:28" { enable = false } listen /tmp/smtp { }
        }
        control_listener { enable = off listen /tmp/2025 { } }""")
    assert conf.listens("esmtp_listener") == [
        Endpoint("esmtp_listener", "*:25", "0.0.0.0", 25),
        Endpoint("esmtp_listener", "[*]:26", "::", 26),
        Endpoint("esmtp_listener", "[::1]:27", "::1", 27),
        Endpoint("esmtp_listener", "/tmp/smtp", path="/tmp/smtp"),
    ]
    assert conf.listens("control_listener") == []
    assert conf.listens("http_listener") == []
    backlogs = [
        conf.at(ListenSocket, listener=each.listener, listen=each.name).listen_backlog
        for each in conf.listens("esmtp_listener")
    ]
    assert backlogs == [7, 7, 8, 7]


def test_instances_are_the_stanzas_of_a_kind() -> None:
    conf = load_text('ec_logger one { mainlog = "a" } ec_logger "two" { heartbeat = 0 }')
    assert [(name, each.mainlog) for name, each in conf.instances(EcLogger)] == [
        ("one", "a"),
        ("two", "/var/log/ecelerity/mainlog.ec"),
    ]
    assert [name for name, _ in conf.instances("ec_logger")] == ["one", "two"]
    assert conf.instances("bounce_logger") == []
    with pytest.raises(Error, match="no class"):
        conf.instances("nothing")


def test_the_options_of_a_single_stanza_and_of_the_file() -> None:
    conf = load_text(
        "hostname = mx.example.com security { user = me } eventloop p { concurrency = 3 }"
    )
    assert conf.top(Node).hostname == "mx.example.com"
    assert conf.top(Security).user == "me"
    assert conf.top(EventLoop).concurrency == 3
    assert conf.has("security")
    assert not load_text("").has("security")
    assert load_text("").top(Security).user == "ecuser"


def test_a_configuration_knows_its_generation_and_text() -> None:
    one, same, other = load_text(""), load_text("", 2), load_text("# x")
    assert (one.generation, same.generation) == (1, 2)
    assert one.text_hash == same.text_hash != other.text_hash
    assert re.fullmatch("[0-9a-f]{16}", one.text_hash)


@pytest.mark.effect("match_cache_size")
def test_what_is_kept_resolved_is_bounded() -> None:
    conf = load_text("match_cache_size = 10")
    for number in range(1000):
        conf.at(Shape, domain=f"{number}.com")
    assert len(_places(conf)) <= 10


def _places(conf: Configuration) -> Recent:
    return conf._places


def test_what_was_used_lately_is_remembered() -> None:
    recent = Recent(4)
    recent.put("kept", 1)
    for number in range(20):
        assert recent.get("kept") == 1
        recent.put(number, number)
    assert recent.get(0) is None


def test_under_pressure_what_was_not_used_lately_goes_in_pieces() -> None:
    recent = Recent(4000)
    for number in range(1500):
        recent.put(number, number)
    assert list(recent.shrink()) == []
    assert len(recent) == 1500
    assert recent.get(7) == 7
    assert len(list(recent.shrink())) == 3  # of 512 places each
    assert len(recent) == 1
    assert (recent.get(7), recent.get(8)) == (7, None)


def test_what_was_forgotten_is_resolved_again() -> None:
    conf = load_text("retry_interval = 7")
    for _ in range(2):
        assert conf.at(Shape, domain="a.com").retry_interval == 7
        list(conf.shrink())
        list(conf.shrink())
        assert not len(_places(conf))
