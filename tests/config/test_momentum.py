"""What Momentum's manuals say of grammar and lookup, fact by fact.

Parts have tests of their own beside them; here stands that all of it is there.
"""

from typing import Final

import msgspec
import pytest

from angarium.cluster.options.shared import ClusterLimits
from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot, load_text
from angarium.config.option import CLASSES
from angarium.config.resolve import Configuration
from angarium.config.tree import Snapshot
from angarium.inbound.options import Conformance, Reception
from angarium.queue.options import Shape


def loaded(text: str, search: tuple[str, ...] = (), /, **files: str) -> Configuration:
    """Load /etc/main with other files and directories, by path with _ for /: etc_d_a."""
    octets = {"/" + name.replace("_", "/"): each.encode() for name, each in files.items()}
    octets["/etc/main"] = text.encode()
    folders: dict[str, list[str]] = {}
    for path in octets:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    directories = {folder: tuple(sorted(names)) for folder, names in folders.items()}
    taken = Snapshot("/etc/main", search, octets, directories)
    return load_snapshot(msgspec.msgpack.encode(taken))


def retries(conf: Configuration, **place: str) -> object:
    return conf.at(Shape, **place).max_retries


# Each text sets max_retries to 7 for mail to example.com.
WAYS: Final = {
    "names of options in any case": "MAX_Retries = 7",
    "names of stanzas in any case": "DOMAIN example.com { Max_Retries = 7 }",
    "a comment to the end of the line": "# max_retries = 1\nmax_retries = 7 # max_retries = 2",
    "a comment of several lines": "/* max_retries = 1\n# */ max_retries = 7",
    "comments do not nest": "/* /* */ max_retries = 7",
    "quotes": 'max_retries = "7"',
    "no quotes": "domain example.com { max_retries = 7 }",
    "a stanza with an equals sign": 'domain "example.com" = { max_retries = 7 }',
    "line ends mean nothing": 'domain\n"example.com"\n{ max_retries\n=\n7 }',
    "statements need no end": "message_expiration = 5 max_retries = 7 retry_interval = 5",
    "a stanza again": "domain example.com { max_retries = 1 }\n"
    "domain example.com { max_retries = 7 }",
    "a pattern in slashes": 'max_retries = 1 domain "/(?:^|[.])example.com$/" { max_retries = 7 }',
    "a pattern is found anywhere": "domain /xampl/ { max_retries = 7 }",
    "the plain name before patterns": "domain /e/ { max_retries = 1 } "
    "domain example.com { max_retries = 7 }",
    "the first pattern": "domain /e/ { max_retries = 7 } domain /x/ { max_retries = 1 }",
    "domains in any case": "domain Example.COM { max_retries = 7 }",
    "carriage returns": "max_retries = 7\r\nmessage_expiration = 5\r\n",
    "a byte order mark": "\ufeffmax_retries = 7",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_a_way_to_write_it(text: str) -> None:
    assert retries(load_text(text), domain="example.com") == 7


@pytest.mark.parametrize("word", ["true", "on", "enabled", "1", "TRUE", "On"])
def test_words_for_true(word: str) -> None:
    assert load_text(f"never_retry = {word}").at(Shape).never_retry is True


@pytest.mark.parametrize("word", ["false", "off", "disabled", "0", "False"])
def test_words_for_false(word: str) -> None:
    assert load_text(f"never_retry = {word}").at(Shape).never_retry is False


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("( 10.0.0.1 10.0.0.2 )", 2),
        ("( 10.0.0.1, 10.0.0.2 )", 2),
        ('("10.0.0.0/8")', 1),
        ("( )", 0),
        ("10.0.0.1", 1),
        ("( ::1 fe80::/10 )", 2),
    ],
)
def test_lists(text: str, count: int) -> None:
    assert len(load_text(f"relay_hosts = {text}").at(Reception).relay_hosts) == count


@pytest.mark.parametrize(
    ("text", "rate"), [("5", (5, 1)), ("300/60", (300, 60)), ('"300/60"', (300, 60))]
)
def test_throttles(text: str, rate: tuple[int, int]) -> None:
    throttle = (
        load_text(f"outbound_throttle_messages = {text}").at(Shape).outbound_throttle_messages
    )
    assert throttle is not None
    assert (throttle.rate.count, throttle.rate.seconds) == rate


def test_names_of_bindings_and_groups_have_a_case() -> None:
    conf = load_text("binding B { max_retries = 7 } binding b { max_retries = 1 }")
    assert retries(conf, binding="B") == 7
    assert retries(conf, binding="b") == 1


@pytest.mark.parametrize(
    ("domain", "matches"),
    [("mx.example.com", True), ("a.b.example.com", True), ("example.com", False)],
)
def test_a_star_stands_for_what_is_below_a_domain(domain: str, matches: bool) -> None:
    relaying = load_text('relay_domains = ( "*.example.com" )').at(Conformance)
    assert any(domain.endswith(each[1:]) for each in relaying.relay_domains) is matches


def test_brackets_around_ipv6_where_a_port_may_follow() -> None:
    text = """
    routes = ( "[2001:db8::1]:25" ) gateway = "[::1]:2525" relay_hosts = ( 2001:db8::/32 )
    esmtp_listener { listen "[::1]:25" { peer "2001:db8::/32" { } } }
    """
    assert [each.host for each in load_text(text).listens("esmtp_listener")] == ["::1"]


# Includes.


def test_a_directory_is_read_in_the_order_of_the_alphabet_and_the_last_one_counts() -> None:
    files = {"etc_d_a": "max_retries = 1", "etc_d_b": "max_retries = 7", "etc_d_.c": "%"}
    conf = loaded('include "d"', (), **files)
    assert retries(conf) == 7


def test_a_file_is_looked_for_beside_the_including_one_then_in_the_search_path() -> None:
    conf = loaded('include "sub/a"', etc_sub_a='include "b"', etc_b="max_retries = 1",
                  etc_sub_b="max_retries = 7")  # fmt: skip
    assert retries(conf) == 7
    assert retries(loaded('include "b"', ("/else",), else_b="max_retries = 7")) == 7


def test_an_include_stands_in_any_stanza() -> None:
    conf = loaded('binding_group g { binding b { include "b" } }', etc_b="max_retries = 7")
    assert retries(conf, group="g", binding="b") == 7


def test_a_file_url_is_a_file() -> None:
    assert retries(loaded('include "file:///etc/b"', etc_b="max_retries = 7")) == 7


# Lookup; the manual's own examples.

EXPIRATION: Final = """
message_expiration = 86400
domain example.com { message_expiration = 120 }
binding example { message_expiration = 3600 }
binding example2 { message_expiration = 7200 domain example.com { message_expiration = 86400 } }
binding example3 { }
"""


@pytest.mark.parametrize(
    ("binding", "domain", "seconds"),
    [
        ("example2", "anotherexample.com", 7200),
        ("example2", "example.com", 86400),
        ("example3", "example.com", 120),
        ("example3", "anotherexample.com", 86400),
        ("example", "example.com", 3600),
    ],
)
def test_the_manuals_example_of_expiration(binding: str, domain: str, seconds: int) -> None:
    conf = load_text(EXPIRATION)
    assert conf.at(Shape, binding=binding, domain=domain).message_expiration == seconds


@pytest.mark.parametrize(("binding", "value"), [("example", 15), ("other", 5)])
def test_the_manuals_example_of_a_group(binding: str, value: int) -> None:
    conf = load_text(
        "max_retries = 30 binding_group group1 { max_retries = 5 "
        "binding example { max_retries = 15 } binding other { } }"
    )
    assert retries(conf, group="group1", binding=binding, domain="example.com") == value


@pytest.mark.parametrize("first", range(6))
def test_connections_of_a_cluster_are_looked_for_at_the_host_first(first: int) -> None:
    """binding::host, host, binding::domain, binding, domain, global."""
    values = [f"cluster_max_outbound_connections = {n + 1}" if n >= first else "" for n in range(6)]
    conf = load_text(
        f"binding b {{ host mx.x.com {{ {values[0]} }} domain x.com {{ {values[2]} }}"
        f"  {values[3]} }}"
        f"host mx.x.com {{ {values[1]} }} domain x.com {{ {values[4]} }} {values[5]}"
    )
    found = conf.at(ClusterLimits, binding="b", domain="x.com", host="mx.x.com")
    assert str(found.cluster_max_outbound_connections) == str(first + 1)


def test_what_exists_without_a_file() -> None:
    conf = load_text("")
    for cls in CLASSES.values():
        assert conf.top(cls) is not None  # threadpool, debug_flags, timestampformat and others
    assert conf.bindings() == [("default", "default")]


# One part which fails.


@pytest.mark.parametrize(
    "part",
    ["max_retries = often", "nonsense = 1", "domain a {", "domain /(/ { }", 'include "none"', "\0"],
)
def test_a_configuration_which_fails_in_one_part_is_no_configuration(part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"message_expiration = 5\n{part}\n")
    assert caught.value.faults[0].line == 2
    assert caught.value.faults[0].column >= 1


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("blackhole = inlin", "did you mean inline?"),
        ("tls = requird", "did you mean required?"),
        ("domain x.com { max_retrys = 1 }", "did you mean max_retries?"),
        ('esmtp_listener { listen ":25" { per 10.0.0.1 { } } }', "did you mean peer?"),
        ("esmtp_lstener { }", "did you mean esmtp_listener?"),
        ("scriptlet s { scrpt x { } }", "did you mean script?"),
    ],
)
def test_the_nearest_name_is_advised(text: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert caught.value.faults[0].advice == advice
