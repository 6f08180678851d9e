"""What options become for a session."""

import pytest

from angarium.inbound.profile import Profiles
from angarium.net.sweep import NEVER
from helpers.reception import LISTEN, Desk

PEER = "192.0.2.9"


def profiles(options: str = "", listener: str = "") -> Profiles:
    return Desk.profiles(options, listener)


def test_sessions_with_the_same_options_share_a_profile() -> None:
    known = profiles(listener='peer "198.51.100.0/24" {\nmax_message_size = 5\n}')
    first = known.at(LISTEN, PEER)
    assert known.at(LISTEN, "203.0.113.7") is first
    other = known.at(LISTEN, "198.51.100.1")
    assert (first.options.max_message_size, other.options.max_message_size) == (0, 5)


def test_names_fall_back_to_the_host() -> None:
    profile = profiles().at(LISTEN, PEER)
    assert (profile.greeting, profile.hostname) == ("host.example", "host.example")
    profile = profiles(listener='banner_hostname = "b.example"').at(LISTEN, PEER)
    assert (profile.greeting, profile.hostname) == ("b.example", "host.example")


def test_the_pathway_of_a_listener_brings_its_options() -> None:
    options = 'pathway "p" {\nrfc2822_missing_headers = allow\n}'
    profile = profiles(options, 'pathway = "p"').at(LISTEN, PEER)
    assert profile.pathway == "p"
    assert not profile.rules.require_header
    assert profiles(options).at(LISTEN, PEER).rules.require_header


@pytest.mark.parametrize(
    ("length", "policy", "limit", "fix"),
    [
        ("ignore", "none", 0, False),
        ("pedantic", "none", 998, False),
        ("fix", "none", 998, True),
        ("2048", "none", 0, False),
        ("2048", "reject", 2048, False),
        ("2048", "fix", 2048, True),
    ],
)
def test_the_rule_for_long_lines(length: str, policy: str, limit: int, fix: bool) -> None:
    options = f"rfc2822_max_line_length = {length}\nrfc2822_max_line_length_policy = {policy}"
    rules = profiles(options).at(LISTEN, PEER).rules
    assert (rules.line_limit, rules.fix_lines and limit > 0) == (limit, fix)


def test_no_idle_time_is_no_timer_and_the_size_is_offered() -> None:
    profile = profiles(listener="idle_time = 0\nmax_message_size = 1M").at(LISTEN, PEER)
    assert profile.bounds.idle == NEVER
    assert profile.extensions.splitlines()[-1] == "SIZE 1048576"


def test_the_words_after_a_reload_are_always_a_421() -> None:
    assert str(profiles().at(LISTEN, PEER).reconfigured) == "421 4.3.2 Reconfiguration in progress"
    own = profiles(listener='reconfig_message = "later"').at(LISTEN, PEER)
    assert str(own.reconfigured) == "421 later"


def test_profiles_made_ready_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("angarium.inbound.profile._KNOWN", 3)
    peers = [f'peer "198.51.100.{n}" {{\nmax_message_size = {n}\n}}' for n in range(1, 9)]
    known = profiles(listener="\n".join(peers))
    for n in range(1, 9):
        assert known.at(LISTEN, f"198.51.100.{n}").options.max_message_size == n
    assert len(known._known) <= 3
