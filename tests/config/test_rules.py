"""Faults across options."""

import pytest

from angarium.config.load import check
from angarium.config.rules import RULES, effective
from angarium.config.tree import Snapshot


def told(text: str) -> list[str]:
    found = check("main", Snapshot("main", (), {"main": text.encode()}, {}))
    return [f"{each.severity.name} {each.line} {each.message}" for each in found.faults]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "domain x {\n retry_interval = 100\n max_retry_interval = 50 }",
            "WARNING 2 retry_interval (100) is longer than max_retry_interval (50)",
        ),
        (
            "retry_interval = 50000",
            "WARNING 1 retry_interval (50000) is longer than max_retry_interval (43200)",
        ),
        ("\nmemory_goal = 96", "ERROR 2 memory_goal (96) is above memory_hwm (95)"),
        ("memory_hwm = 50", "ERROR 1 memory_goal (90) is above memory_hwm (50)"),
        (
            "min_dns_ttl = 60\nmax_dns_ttl = 30",
            "ERROR 1 min_dns_ttl (60) is above max_dns_ttl (30)",
        ),
        (
            "esmtp_listener { listen *:25 {\n pathway = nowhere } }",
            "ERROR 2 there is no pathway nowhere",
        ),
        (
            'esmtp_listener { static_banner = "hello" listen *:25 { } }',
            "ERROR 1 static_banner does not begin with 220",
        ),
        (
            "esmtp_listener { open_relay = true listen *:25 { } }",
            "WARNING 1 everybody who can connect may send to anybody",
        ),
        (
            "esmtp_listener { listen *:25 { peer 0.0.0.0/0 { open_relay = true } } }",
            "WARNING 1 everybody who can connect may send to anybody",
        ),
        (
            "relay_hosts = ( 10.0.0.1 0.0.0.0/0 )",
            "WARNING 1 relay_hosts has a network of all addresses: "
            "everybody may send to anybody",
        ),
        (
            "esmtp_listener { relay_for_sending_domains = ( ) listen *:25 { } }",
            "WARNING 1 an empty relay_for_sending_domains lets every sender send to anybody",
        ),
        (
            "rfc2822_max_line_length_policy = fix",
            "WARNING 1 rfc2822_max_line_length_policy needs a number in rfc2822_max_line_length",
        ),
        ("esmtp_listener { }", "WARNING 1 esmtp_listener has no listen stanza, so nothing listens"),
        (
            'control_listener { authdigestmd5parameters = [ uri = "ecauth://" ]\n'
            "listen /tmp/2025 { } }",
            "WARNING 1 authdigestmd5parameters: nobody is known by 'ecauth://' here",
        ),
        (
            'control_listener { listen 127.0.0.1:2025 { } \n listen "*:2026" { } }',
            "WARNING 2 what is said by way of *:2026 is not encrypted",
        ),
        (
            "control_listener { listen 127.0.0.1:2025 {\n enable_authentication = false } }",
            "WARNING 2 whoever can connect to 127.0.0.1:2025 may give every command",
        ),
        (
            'control_listener { enable = no listen "*:25" { } }\n'
            'esmtp_listener { listen ":25" { } }',
            "ERROR 2 *:25 is used by control_listener too",
        ),
        (
            "esmtp_listener { smtp_extensions = ( ENHANCEDSTATUSCODES XCLIENT ) listen *:25 { } }",
            "WARNING 1 everybody who can connect may say by XCLIENT who they are",
        ),
        (
            'esmtp_listener { listen *:25 {\nsmtp_extensions = ( "ETRN" ) } }',
            "WARNING 2 the extension ETRN is not supported yet, and not offered",
        ),
        ("force_fsync = false", "WARNING 1 force_fsync = false: accepted mail can be lost at a "
         "power cut"),
        (
            "server_max_file_descriptors = 100\nserver_max_outbound_connections = 200",
            "WARNING 1 server_max_file_descriptors (100) is less than "
            "server_max_outbound_connections (200)",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_together_is_told(text: str, fault: str) -> None:
    assert told(text) == [fault]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "esmtp_listener { listen *:25 { peer 10.0.0.0/8 { open_relay = true } } }",
        "pathway_group g { pathway p { } } esmtp_listener { pathway = p listen *:25 { } }",
        "rfc2822_max_line_length = 500 rfc2822_max_line_length_policy = fix",
        "domain x { retry_interval = 100 } max_retry_interval = 100",
        "force_fsync = true",
        "esmtp_listener { listen *:25 { peer 10.0.0.1 { smtp_extensions = ( XCLIENT dsn ) } } }",
    ],
)
def test_what_is_sound_is_not_told(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("icu { }", ["NOTE 1 the stanza icu is understood and without effect"]),
        (
            "curfew { schedule_file = /a }",
            ["WARNING 1 the stanza curfew is not supported yet: mail is sent in quiet hours too"],
        ),
        (
            "\nmaildir m { domains = example.com }",
            [
                "ERROR 2 the stanza maildir is not supported yet: "
                "mail for its mailboxes would be sent on to the hosts of its domains"
            ],
        ),
        (
            "substitution_engine { debug_level = INFO }"
            ' reception_timing "a" { } reception_timing "b" { }',
            [
                "NOTE 1 the stanza substitution_engine is not supported yet",
                "NOTE 1 the stanza reception_timing is not supported yet",
                "NOTE 1 the stanza reception_timing is not supported yet",
            ],
        ),
    ],
)
def test_a_stanza_without_effect_is_told_once_and_its_options_are_not(
    text: str, faults: list[str]
) -> None:
    assert told(text) == faults


def test_what_stands_inside_a_stanza_without_effect_is_told_with_it() -> None:
    text = "antivirus a { action = reject clamav c { daemon = 127.0.0.1 } }\nantivirus a { }"
    assert told(text) == [
        "WARNING 1 the stanza antivirus is not supported yet: mail is not scanned for viruses"
    ]


def test_a_stanza_which_is_off_asks_for_nothing_wherever_it_is_switched_off() -> None:
    assert told("maildir m { domains = example.com }\nmaildir m { enabled = false }") == []
    assert told("antivirus { enabled = false clamav c { daemon = 127.0.0.1 } }") == []


def test_an_option_whose_protection_would_be_missing_refuses_the_file() -> None:
    [found] = told("fips_mode = true")
    assert found.startswith("ERROR 1 fips_mode is not supported yet, and going on")


def test_what_is_wrong_in_a_stanza_without_effect_is_an_error_all_the_same() -> None:
    found = told("fbl { message_disposition = bury }")
    assert found[1] == "ERROR 1 message_disposition: 'bury' is none of blackhole, pass"


def test_each_rule_is_registered() -> None:
    assert len(RULES) == len(set(RULES)) >= 11


def test_what_holds_is_what_is_set_here_else_globally_else_the_default() -> None:
    found = check(
        "main", Snapshot("main", (), {"main": b"max_retries = 1 domain x { never_retry = on }"}, {})
    )
    domain = found.root.all("domain")["x"]
    assert effective(domain, "never_retry") is True
    assert effective(domain, "max_retries") == 1
    assert effective(domain, "retry_interval") == 1200.0
