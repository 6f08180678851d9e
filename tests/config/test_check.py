"""Every fault of a configuration, with its place and advice."""

import pytest

from angarium.config.check import MAX_REPEATED, Checked, endpoint_name, normal_instance
from angarium.config.errors import MAX_ALIKE, MAX_ERRORS, Severity
from angarium.config.load import check
from angarium.config.option import OPTIONS
from angarium.config.scope import BINDING, DOMAIN, PEER
from angarium.config.tree import Snapshot


def checked(text: str, **included: str) -> Checked:
    files = {"main": text.encode(), **{name: each.encode() for name, each in included.items()}}
    return check("main", Snapshot("main", (), files, {}))


def faults(text: str, severity: Severity = Severity.ERROR) -> list[str]:
    return [
        f"{each.line}:{each.column} {each.message}; {each.advice}"
        for each in checked(text).faults
        if each.severity is severity
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "retry_intervall = 5",
            "1:1 there is no option retry_intervall at the top of the file; "
            "did you mean retry_interval?",
        ),
        (
            "domain a {\n  max_outbound_conections = 5 }",
            "2:3 there is no option max_outbound_conections in domain stanzas; "
            "did you mean max_outbound_connections?",
        ),
        (
            "binding a { relay_hosts = ( ) }",
            "1:13 the option relay_hosts may not stand in binding stanzas; it may stand in: "
            "global, pathway_group, pathway, esmtp_listener, listen, peer",
        ),
        (
            "binding a { tls_key_file = x }",
            "1:13 there is no option tls_key_file in binding stanzas; did you mean tls_key?",
        ),
        (
            "retry_interval =  soon",
            "1:19 retry_interval: 'soon' is no duration; write seconds, or such as '4 hours'; "
            "write seconds, or with a unit such as '4 hours'",
        ),
        ("domain = x", '1:1 domain is a stanza; write domain { ... }'),
        ("retry_interval { }", "1:1 retry_interval is an option; write retry_interval = value"),
        ("domain { }", '1:1 domain needs a name; write domain "name" {'),
        ("esmtp_listener x { }", "1:1 esmtp_listener has no name; write esmtp_listener {"),
        (
            "domain a { binding b { } }",
            "1:12 binding may not stand in domain; it may stand in: binding_group, the file itself",
        ),
        ("bindng a { }", "1:1 there is no stanza bindng; did you mean binding?"),
        (
            "site_module { x = 1 }",
            "1:1 there is no stanza site_module; "
            "for a module of your own write accept_unknown = ( site_module )",
        ),
        ("binding a { lisstn b { } }", "1:13 there is no stanza lisstn in binding; "),
        (
            "esmtp_listener { lisstn b { } }",
            "1:18 there is no stanza lisstn in esmtp_listener; did you mean listen?",
        ),
        (
            "esmtp_listener { peer here { } }",
            "1:18 peer: 'here' is no address or network; ",
        ),
        (
            "esmtp_listener { listen 25 { } }",
            "1:18 listen: '25' has no port; write such as *:25, 192.0.2.1:25 or [::1]:25; ",
        ),
        ('domain "/(/" { }', "1:1 domain: '(' is no regular expression: ( is never closed at "
         "character 1; "),
        ('domain "a b" { }', "1:1 domain: 'a b' is no domain, and no pattern such as "
         "/[.]example$/; "),
        ('binding "a b" { }', "1:1 binding: 'a b' is no name: it may not have blanks or colons; "),
        (
            "fips_mode = true",
            "1:1 fips_mode is not supported yet, and going on without it is not safe; "
            "TLS goes by the OpenSSL of the system, which may have a FIPS provider. Signatures, "
            "keys and certificates go by one which the package cryptography brings along, and that "
            "has none.",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_place_and_advice(text: str, fault: str) -> None:
    assert fault in faults(text)


def test_all_faults_are_told() -> None:
    text = "a = 1\nretry_interval = x\ndomain { }\n= 1\nbinding b { spoolbase = /x }\n"
    assert [each.split(":")[0] for each in faults(text)] == ["1", "2", "3", "4", "5"]


def test_what_has_no_effect_yet_is_told() -> None:
    text = "default_charset = utf-8\nuse_mmap = true\n"
    assert faults(text) == []
    assert faults(text, Severity.NOTE) == [
        f"1:1 default_charset is not supported yet; {OPTIONS['default_charset'].reason}",
        "2:1 use_mmap is understood and without effect; "
        "Contents are read from the spool by pieces, with pread.",
    ]


@pytest.mark.parametrize("listener", ["ecstream_listener", "msgcserver_listener", "xmpp_listener"])
def test_a_listener_which_nobody_serves_is_told(listener: str) -> None:
    text = f"{listener} {{ listen :2081 {{ file_mode = 0600 }} }}"
    (told,) = faults(text, Severity.WARNING)
    assert told.startswith(f"1:1 the stanza {listener} is not supported yet: nobody listens there")
    assert faults(f"{listener} {{ enable = false }}", Severity.WARNING) == []


def test_an_unknown_stanza_which_is_accepted_is_told() -> None:
    text = "site_module { x = 1 }\naccept_unknown = ( Site_Module )"
    assert not faults(text)
    assert "site_module is unknown" in faults(text, Severity.NOTE)[0]


def test_what_is_set_twice_in_a_file_is_told_and_the_last_one_counts() -> None:
    found = checked("retry_interval = 5\nretry_interval = 7\n")
    assert found.root.values["retry_interval"] == 7.0
    assert "again, after line 1" in found.faults[0].message
    assert found.faults[0].severity is Severity.WARNING


def test_stanzas_merge_over_files() -> None:
    found = checked(
        'binding b { retry_interval = 5 } include "more"', more="binding b { max_retries = 3 }"
    )
    assert not found.faults
    binding = found.root.all("binding")["b"]
    assert binding.values == {"retry_interval": 5.0, "max_retries": 3}


@pytest.mark.effect("accept_unknown")
def test_a_stanza_of_a_module_of_ones_own_is_a_note_where_it_is_named() -> None:
    text = "site_module { x = 1 }\n"
    assert [each.severity for each in checked(text).faults] == [Severity.ERROR]
    found = checked(text + "accept_unknown = ( other_module SITE_module )\n")
    assert [each.severity for each in found.faults] == [Severity.NOTE]
    assert found.faults[0].message == "the stanza site_module is unknown and has no effect"


def test_an_included_file_speaks_where_it_is_included() -> None:
    found = checked('domain a { include "more" }', more="max_retries = 3")
    assert found.root.all("domain")["a"].values == {"max_retries": 3}
    wrong = checked('domain a { include "more" }', more="\n spoolbase = /x")
    assert (wrong.faults[0].file, wrong.faults[0].line) == ("more", 2)


def test_files_which_double_at_each_level_end() -> None:
    names = [f"f{level}" for level in range(15)]
    more = {name: f'include "f{n + 1}" include "f{n + 1}"' for n, name in enumerate(names[:-1])}
    found = checked('include "f0"', **more, f14="")
    assert "included too often" in found.faults[0].message
    assert len(found.faults) == 1


def test_errors_have_an_end() -> None:
    assert len(checked("a = 1\n" * 5000).faults) == MAX_ERRORS


def test_notes_and_warnings_never_end_the_reading() -> None:
    """What was behind the thousandth note was once left out, and nobody told."""
    stanzas = "".join(
        f"domain d{n}.com {{ max_retries = 1 max_retries = 2 }}\n" for n in range(2000)
    )
    found = checked(stanzas + "message_expiration = 7\n")
    assert len(found.root.all("domain")) == 2000
    assert found.root.values["message_expiration"] == 7
    assert len(found.faults) == MAX_ALIKE
    assert found.faults[-1].message.endswith(f"; and in {2000 - MAX_ALIKE} more places")


def test_a_large_file_is_not_included_again_and_again() -> None:
    large = "# comment\n" * (MAX_REPEATED // 20)
    found = checked('include "a"\n' * 100, a=large)
    assert [each.line for each in found.faults] == [9]
    assert "included too often" in found.faults[0].message


def test_equal_texts_give_one_value() -> None:
    found = checked('domain a { gateway = "h:25" } domain b { gateway = "h:25" }').root
    first, second = found.all("domain").values()
    assert first.values["gateway"] is second.values["gateway"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (":25", "*:25"),
        ("*:25", "*:25"),
        ("[*]:25", "[*]:25"),
        ("127.0.0.1:2525", "127.0.0.1:2525"),
        ("[0::1]:25", "[::1]:25"),
        ("/tmp/2025", "/tmp/2025"),
    ],
)
def test_an_endpoint_has_one_name(given: str, name: str) -> None:
    assert endpoint_name(given) == name


@pytest.mark.parametrize("given", ["", "25", "localhost:25", "::1:25", "*:0", "*:99999", "a b:1"])
def test_what_is_no_endpoint_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"port|host|address"):
        endpoint_name(given)


def test_names_are_brought_to_normal_form() -> None:
    assert normal_instance(DOMAIN, "Example.COM.") == "example.com"
    assert normal_instance(DOMAIN, "bücher.example") == "xn--bcher-kva.example"
    assert normal_instance(DOMAIN, "[IPv6:2001:DB8::1]") == "[ipv6:2001:db8::1]"
    assert normal_instance(PEER, "10.1.2.3/8") == "10.0.0.0/8"
    assert normal_instance(BINDING, "B1") == "B1"


def test_stanzas_which_set_the_same_share_what_they_set() -> None:
    same = "max_retries = 3 retry_interval = 5"
    root = checked(f"domain a {{ {same} }} domain b {{ {same} }} domain c {{ {same} }}").root
    values = [each.values for each in root.all("domain").values()]
    assert values[0] is values[1] is values[2]


def test_a_stanza_opened_again_leaves_the_ones_like_it_alone() -> None:
    same = "max_retries = 3"
    root = checked(
        f"domain a {{ {same} }} domain b {{ {same} }} domain a {{ max_retries = 4 }}"
    ).root
    values = {name: each.values["max_retries"] for name, each in root.all("domain").items()}
    assert values == {"a": 4, "b": 3}


def test_of_many_places_an_advice_names_some() -> None:
    (told,) = faults("binding b { enabled = true }")
    assert "the option enabled may not stand in binding stanzas" in told
    assert told.count(",") < 15
    assert told.endswith(" more")


@pytest.mark.parametrize(
    "inside", ["{}", "listen /tmp/x {{ {} }}", "listen :1 {{ peer ::1 {{ {} }} }}"]
)
def test_clients_may_be_turned_away_wherever_they_come(inside: str) -> None:
    text = inside.format("always_deny = true")
    for stanza in ("control_listener", "esmtp_listener", "http_listener"):
        assert not faults(f"{stanza} {{ {text} listen /tmp/2025 {{ }} }}")
