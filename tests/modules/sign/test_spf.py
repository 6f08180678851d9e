"""spf_v1: what it finds, and who hears of it."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.mail.auth.spf.record import Result
from angarium.modules.sign.found import found_of
from helpers.authentic import Way

ZONE = """
a.example      TXT v=spf1 ip4:192.0.2.1 -all
soft.example   TXT v=spf1 ~all
hard.example   TXT v=spf1 -all
told.example   TXT v=spf1 -all exp=why.example
why.example    TXT not %{i}
plain.example  A 192.0.2.1
slow.example   SERVFAIL
broken.example TXT v=spf1 moo
client.example TXT v=spf1 +all
"""
LINES = ("From: joe@a.example", "Authentication-Results: mx.node.test; spf=pass", "", "text")


def way(folder: Path, options: str = "") -> Way:
    return Way(folder, f"spf_v1 {{ {options} }}", ZONE)


@pytest.mark.parametrize(
    ("sender", "result", "text"),
    [
        ("joe@a.example", "pass", ""),
        ("joe@soft.example", "softfail", "SPF validation soft failure"),
        ("joe@hard.example", "fail", "SPF validation failure"),
        ("joe@told.example", "fail", "not 192.0.2.1"),
        ("joe@plain.example", "none", ""),
        ("joe@gone.example", "none", "Could not resolve sender's domain"),
        ("joe@slow.example", "temperror", "Temporary SPF failure"),
        ("joe@broken.example", "permerror", "broken.example: 'moo': there is no such mechanism"),
        ("", "pass", ""),
    ],
)
async def test_the_result_of_each_sender_is_in_its_variable_and_nobody_is_refused(
    tmp_path: Path, sender: str, result: str, text: str
) -> None:
    here = way(tmp_path)
    await here.sends(sender)
    assert here.variables["spf_status"] == result
    assert here.variables["spf_status_text"] == text
    assert here.refusal is None
    found = found_of(here.session).spf
    assert found is not None
    assert found.result == result


@pytest.mark.effect("spf_v1.add_headers", "spf_v1.add_authentication_results")
async def test_readers_of_the_message_are_told(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@a.example", *LINES)
    [received] = here.fields("received-spf")
    assert received.startswith("pass (mx.node.test: a.example lets 192.0.2.1 send)")
    # The one which came with the message is not ours, although it says so.
    [told] = here.fields("authentication-results")
    assert told.startswith("mx.node.test;")
    assert "spf=pass" in told
    assert "smtp.mailfrom=joe@a.example" in told
    assert here.mail.draft.names[:3] == [b"authentication-results", b"received-spf", b"received"]
    quiet = way(tmp_path, "add_headers = false add_authentication_results = false")
    await quiet.whole("joe@a.example", *LINES[:1], "", "text")
    assert quiet.mail.draft.names == [b"received", b"from"]


async def test_of_the_null_sender_the_name_is_told(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("", *LINES)
    assert "smtp.helo=client.example" in here.fields("authentication-results")[0]
    assert "identity=helo" in here.fields("received-spf")[0]


@pytest.mark.effect("spf_v1.context_variable")
async def test_the_variable_has_the_name_it_is_given(tmp_path: Path) -> None:
    here = way(tmp_path, 'context_variable = "x"')
    await here.sends("joe@a.example")
    assert here.variables["x"] == "pass"
    assert "spf_status" not in here.variables


@pytest.mark.effect(
    "spf_v1.fail_fallback_string",
    "spf_v1.softfail_fallback_string",
    "spf_v1.nxdomain_override_string",
    "spf_v1.temperror_override_string",
)
@pytest.mark.parametrize(
    ("option", "sender"),
    [
        ("fail_fallback_string", "joe@hard.example"),
        ("softfail_fallback_string", "joe@soft.example"),
        ("nxdomain_override_string", "joe@gone.example"),
        ("temperror_override_string", "joe@slow.example"),
    ],
)
async def test_the_words_for_a_failure_can_be_chosen(
    tmp_path: Path, option: str, sender: str
) -> None:
    here = way(tmp_path, f'{option} = "my own words"')
    await here.sends(sender)
    assert here.variables["spf_status_text"] == "my own words"


@pytest.mark.effect("spf_v1.default_rule")
async def test_a_rule_holds_for_who_publishes_nothing(tmp_path: Path) -> None:
    here = way(tmp_path, 'default_rule = "v=spf1 a -all"')
    await here.sends("joe@plain.example")
    assert here.variables["spf_status"] == "pass"
    other = Way(tmp_path, 'spf_v1 { default_rule = "a -all" }', ZONE, address="192.0.2.2")
    await other.sends("joe@plain.example")
    assert other.variables["spf_status"] == "fail"
    await other.sends("joe@gone.example")
    assert other.variables["spf_status"] == "none"


async def test_a_rule_which_is_none_refuses_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Error, match="is no rule"):
        Way(tmp_path, 'spf_v1 "x" { default_rule = "moo" }')


@pytest.mark.effect("spf_v1.delay_check")
async def test_the_check_can_wait_for_the_first_recipient(tmp_path: Path) -> None:
    here = way(tmp_path, "delay_check = true")
    await here.sends("joe@a.example")
    assert "spf_status" not in here.variables
    assert not here.dns.asked
    here.session.variables["__bypass_spf_v1"] = "true"
    await here.named("a@mx.example")
    assert "spf_status" not in here.variables
    del here.session.variables["__bypass_spf_v1"]
    await here.named("b@mx.example")
    assert here.variables["spf_status"] == "pass"
    asked = len(here.dns.asked)
    await here.named("c@mx.example")
    assert len(here.dns.asked) == asked


@pytest.mark.effect("spf_v1.enabled")
async def test_off_it_does_nothing(tmp_path: Path) -> None:
    here = way(tmp_path, "enabled = false")
    await here.whole("joe@a.example", *LINES)
    assert "spf_status" not in here.variables
    assert not here.fields("received-spf")


@pytest.mark.effect("spf_v1.debug_level")
async def test_it_tells_what_it_finds_if_asked_to(tmp_path: Path) -> None:
    here = way(tmp_path, 'debug_level = "DEBUG"')
    await here.sends("joe@hard.example")
    assert here.place.panics == [("spf_v1", "192.0.2.1 'joe@hard.example': fail")]


async def test_each_message_is_checked_by_itself(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@a.example", *LINES)
    await here.whole("joe@hard.example", *LINES)
    assert here.variables["spf_status"] == "fail"
    assert here.fields("received-spf")[0].startswith("fail")
    found = found_of(here.session).spf
    assert found is not None
    assert found.result is Result.FAIL


async def test_mail_without_a_client_is_not_checked(tmp_path: Path) -> None:
    here = Way(tmp_path, "spf_v1 { }", ZONE, address="")
    await here.whole("joe@a.example", *LINES)
    assert "spf_status" not in here.variables
