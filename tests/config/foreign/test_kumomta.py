"""What a file of KumoMTA's shaping becomes; the files are ours."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign import kumomta
from angarium.config.foreign.draft import Draft
from angarium.config.kinds import Cap
from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.outbound.options import Transport
from angarium.queue.options import Shape

CORPORA = os.environ.get("ANGARIUM_CORPORA", "")


def brought(text: str, path: str = "shaping.toml") -> tuple[Draft, Configuration]:
    """Return the draft and what it means."""
    draft = kumomta.read(text, path)
    return draft, load_text(draft.text())


SHAPING = """\
["default"]
connection_limit = 10
max_connection_rate = "100/min"
idle_timeout = "60s"

[["default".automation]]
regex = ["deferred"]
action = "Suspend"

["example.com"]
max_message_rate = "1000/5min"
mx_rollup = true

["example.com".sources."ip-1"]
connection_limit = "local:3"
max_message_rate = "100/h"

[provider."Office"]
match = [{MXSuffix = ".mx.example.net"}, {DomainSuffix = ".example.net"}, {Other = 1},
  {HostName = "mx.other.example"}]
provider_connection_limit = 20
connection_limit = 5
max_deliveries_per_connection = 7
max_message_rate = "7/s"
data_dot_timeout = "1m 30s"
"""


KEY = "scope_max_outbound_connections host /[.]mx[.]example[.]net$|^mx[.]other[.]example$/"


def why(draft: Draft, what: str) -> str:
    """Return why something was left out."""
    return next(each.why for each in draft.left if each.what.startswith(what))


def test_defaults_are_global_and_domains_are_domains() -> None:
    _, conf = brought(SHAPING)
    assert conf.at(Shape).max_outbound_connections == 10
    assert conf.at(Transport).idle_timeout == 60.0
    rate = conf.at(Shape, domain="example.com").outbound_throttle_messages
    assert str(rate) == "1000/300"


def test_a_source_is_a_binding() -> None:
    _, conf = brought(SHAPING)
    shape = conf.at(Shape, binding="ip-1", domain="example.com")
    assert shape.max_outbound_connections == 3
    assert str(shape.outbound_throttle_messages) == "100/3600"


def test_a_provider_is_one_host_stanza_and_domains() -> None:
    draft, conf = brought(SHAPING)
    for host in ("a.mx.example.net", "mx.other.example"):
        assert conf.at(Shape, host=host).scope_max_outbound_connections == Cap(20, KEY)
    assert conf.at(Shape, host="a.mx.other.example").scope_max_outbound_connections is None
    inside = conf.at(Shape, domain="a.example.net")
    assert (inside.max_outbound_connections, inside.max_deliveries_per_connection) == (5, 7)
    assert inside.scope_max_outbound_connections is not None
    assert conf.at(Transport, domain="a.example.net").body_timeout == 90.0
    assert inside.outbound_throttle_messages is None
    assert "limits" in why(draft, "connection_limit = 5")
    assert any("match together" in each.why for each in draft.left)


def test_limits_of_a_domain_are_not_those_of_its_mail_servers() -> None:
    draft, _ = brought('["a.example"]\nconnection_limit = 1\n["b.example"]\nmx_rollup = false\n')
    assert "same mail servers" in why(draft, "a.example")
    assert not [each for each in draft.left if each.what == "b.example"]


def test_a_wait_for_the_answer_to_data_is_not_one_for_the_end_of_the_content() -> None:
    draft, conf = brought('["default"]\ndata_dot_timeout = "5m"\ndata_timeout = "30s"\n')
    assert conf.at(Transport).body_timeout == 300.0
    assert "data_dot_timeout is taken" in why(draft, "data_timeout")


def test_lmtp_goes_to_the_port_of_smtp() -> None:
    _, conf = brought('["a.example"]\nuse_lmtp = true\n["b.example"]\nuse_lmtp = true\n'
                      'smtp_port = 2400\n')  # fmt: skip
    ports = [conf.at(Transport, domain=each).lmtp_port for each in ("a.example", "b.example")]
    assert ports == [25, 2400]
    assert conf.at(Transport, domain="a.example").delivery_method == "LMTP"


def test_no_password_is_told() -> None:
    draft, _ = brought('["default"]\nsmtp_auth_plain_password = {key_data = "quite secret"}\n')
    assert "quite secret" not in draft.text() + "".join(map(str, draft.left))


def test_a_large_file_is_read_in_linear_time() -> None:
    table = "connection_limit = 1\nmax_ready = 10\nidle_timeout = 5\n"
    text = "".join(f'["d{number}.example"]\n{table}' for number in range(3000))
    draft = kumomta.read(text, "x")
    assert len([each for each in draft.left if each.why == kumomta.ROLLED_UP]) == 3000
    assert draft.left[-1].where == "x:11997"


def test_what_is_left_out_has_its_line_and_a_reason() -> None:
    draft, _ = brought(SHAPING)
    told = {f"{each.where} {each.what.split(' ')[0]}": each.why for each in draft.left}
    assert "adaptive" in told["shaping.toml:6 automation"]
    assert "rollup_mx" in told["shaping.toml:10 example.com"]
    assert "all domains together" in told["shaping.toml:3 max_connection_rate"]
    assert told["shaping.toml:18 match"] == "is not understood"


def test_json_is_read_too() -> None:
    _, conf = brought('{"default": {"connection_limit": 4}}', "shaping.json")
    assert conf.at(Shape).max_outbound_connections == 4


@pytest.mark.parametrize("text", ["[", "a = ", "x" * 10, "a = 1"])
def test_a_file_which_is_none_is_said_to_be(text: str) -> None:
    draft, _ = brought(text)
    assert draft.left


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        ("1,000/hr", "rate", "1000/3600"),
        ("100/s", "rate", "100"),
        ("often", "rate", None),
        ("500ms", "time", "1"),
        (90, "time", "90"),
        ("Required", "tls", "required"),
        ("perhaps", "tls", None),
        (True, "flag", "true"),
    ],
)
def test_values(value: object, how: str, expected: str | None) -> None:
    assert kumomta.converted(value, how) == expected


@given(st.text())
def test_any_text_becomes_a_configuration_which_loads(text: str) -> None:
    brought(text)
    brought(text, "shaping.json")


VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from([*kumomta.OPTIONS, "automation", "sources", "match", "provider"])


@given(st.dictionaries(st.text(max_size=10) | KEYS, st.dictionaries(KEYS, VALUES, max_size=5)))
def test_any_tables_are_taken_or_left_out(tables: dict[str, object]) -> None:
    brought(json.dumps(tables), "shaping.json")


@pytest.mark.skipif(not CORPORA, reason="ANGARIUM_CORPORA names no directory of samples")
def test_public_samples_become_configurations_which_load() -> None:
    found = sorted(Path(CORPORA).glob("kumomta/**/*.toml"))
    for path in found:
        draft = kumomta.read(path.read_text("utf-8"), str(path))
        load_text(draft.text())
        assert draft.text().count("\n") > 3, path
    assert found, "kumomta/ has no samples"


@pytest.mark.parametrize(
    ("said", "verified"),
    [("Required", True), ("RequiredInsecure", False), ("Opportunistic", False)],
)
def test_tls_which_is_required_has_its_certificate_checked(said: str, verified: bool) -> None:
    draft, _ = brought(f'["a.example"]\nenable_tls = "{said}"\n')
    assert ("tls_verify = host" in draft.text()) is verified
