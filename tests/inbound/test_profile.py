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


def test_a_session_goes_over_to_a_generation_in_which_all_of_its_own_is_equal() -> None:
    first = profiles().at(LISTEN, PEER)
    second = Desk.profiles("message_expiration = 5", generation=2, since=1)
    renewed = second.renewed(first, LISTEN, PEER)
    assert renewed is second.at(LISTEN, PEER)
    assert renewed.generation == 2


@pytest.mark.parametrize(
    ("options", "listener"),
    [
        ("max_sessions = 5", ""),
        ("large_message_threshold = 4096", ""),
        ("rfc2822_lone_lf_in_body = pedantic", ""),
        ("", "max_message_size = 5"),
        ("", 'relay_hosts = ( "192.0.2.0/24" )'),
        ("", 'peer "192.0.2.0/24" {\nmax_recipients_per_message = 5\n}'),
        ('pathway "p" {\nidle_time = 5\n}', 'pathway = "p"'),
    ],
)
def test_a_session_of_which_something_has_changed_has_to_end(options: str, listener: str) -> None:
    first = profiles().at(LISTEN, PEER)
    second = Desk.profiles(options, listener, generation=2, since=1)
    assert second.renewed(first, LISTEN, PEER) is None


def test_what_changes_for_one_client_is_nothing_to_the_others() -> None:
    first = profiles().at(LISTEN, PEER)
    second = Desk.profiles(
        "", 'peer "198.51.100.0/24" {\nmax_message_size = 5\n}', generation=2, since=1
    )
    assert second.renewed(first, LISTEN, PEER) is not None
    assert second.renewed(first, LISTEN, "198.51.100.7") is None


def test_after_a_reload_everybody_has_to_end_also_when_a_change_came_after_it() -> None:
    first = profiles().at(LISTEN, PEER)
    assert Desk.profiles("", generation=3, since=2).renewed(first, LISTEN, PEER) is None


def test_a_session_of_a_socket_which_is_gone_has_to_end() -> None:
    first = profiles().at("198.51.100.1:25", PEER)
    assert Desk.profiles("", generation=2, since=1).renewed(first, "198.51.100.1:25", PEER) is None
