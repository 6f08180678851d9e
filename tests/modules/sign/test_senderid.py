"""senderid: the sender, and who put the message on its way."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from helpers.authentic import Way

ZONE = """
a.example     TXT v=spf1 ip4:192.0.2.1 -all
b.example     TXT v=spf1 -all
b.example     TXT spf2.0/pra ip4:192.0.2.1 -all
soft.example  TXT spf2.0/mfrom,pra ~all
hard.example  TXT v=spf1 -all
plain.example A 192.0.2.1
"""


def way(folder: Path, options: str = "") -> Way:
    return Way(folder, f"senderid {{ {options} }}", ZONE)


async def test_sender_and_author_are_checked_by_their_own_records(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@b.example", "From: ann@b.example", "", "text")
    assert here.variables["spf_status"] == "fail"
    assert here.variables["senderid_pra_status"] == "pass"
    [told] = here.fields("authentication-results")
    assert "sender-id=pass" in told
    assert "header.from=ann@b.example" in told
    assert "sender-id=fail" in told
    author, sender = here.fields("received-spf")
    assert author.startswith("pass")
    assert "identity=pra" in author
    assert sender.startswith("fail")


async def test_who_sent_it_again_counts_before_the_author(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@a.example", "Resent-From: x@hard.example", "From: y@a.example", "", "")
    assert here.variables["senderid_pra_status"] == "fail"
    assert here.variables["senderid_pra_status_text"] == "SPF validation failure"


async def test_a_header_which_does_not_say_it_is_an_error(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@a.example", "Subject: x", "", "text")
    assert here.variables["senderid_pra_status"] == "permerror"


@pytest.mark.effect("senderid.add_headers", "senderid.add_authentication_results")
async def test_readers_are_told_or_not(tmp_path: Path) -> None:
    here = way(tmp_path, "add_headers = false add_authentication_results = false")
    await here.whole("joe@a.example", "From: joe@a.example", "", "text")
    assert here.mail.draft.names == [b"received", b"from"]


@pytest.mark.effect("senderid.context_variable", "senderid.context_pra_variable")
async def test_the_variables_have_the_names_they_are_given(tmp_path: Path) -> None:
    here = way(tmp_path, 'context_variable = "x" context_pra_variable = "y"')
    await here.whole("joe@a.example", "From: joe@hard.example", "", "text")
    assert (here.variables["x"], here.variables["y"]) == ("pass", "fail")


@pytest.mark.effect("senderid.default_rule", "senderid.default_pra_rule")
async def test_rules_hold_for_who_publishes_nothing(tmp_path: Path) -> None:
    here = way(tmp_path, 'default_rule = "a -all" default_pra_rule = "~all"')
    await here.whole("joe@plain.example", "From: joe@plain.example", "", "text")
    assert here.variables["spf_status"] == "pass"
    assert here.variables["senderid_pra_status"] == "softfail"
    with pytest.raises(Error, match="is no rule"):
        Way(tmp_path, 'senderid { default_pra_rule = "moo" }')


@pytest.mark.effect(
    "senderid.fail_fallback_string",
    "senderid.softfail_fallback_string",
    "senderid.nxdomain_override_string",
)
@pytest.mark.parametrize(
    ("option", "sender"),
    [
        ("fail_fallback_string", "joe@hard.example"),
        ("softfail_fallback_string", "joe@soft.example"),
        ("nxdomain_override_string", "joe@gone.example"),
    ],
)
async def test_the_words_for_a_failure_can_be_chosen(
    tmp_path: Path, option: str, sender: str
) -> None:
    here = way(tmp_path, f'{option} = "my own words"')
    await here.sends(sender)
    assert here.variables["spf_status_text"] == "my own words"


@pytest.mark.effect("senderid.delay_check", "senderid.enabled")
async def test_the_check_can_wait_for_the_first_recipient(tmp_path: Path) -> None:
    here = way(tmp_path, "delay_check = true")
    await here.sends("joe@a.example")
    assert "spf_status" not in here.variables
    await here.named()
    assert here.variables["spf_status"] == "pass"
    await here.whole("joe@hard.example", "From: joe@a.example", "", "text")
    assert here.variables["spf_status"] == "fail"
    off = way(tmp_path, "enabled = false")
    await off.whole("joe@a.example", "From: joe@a.example", "", "text")
    assert "senderid_pra_status" not in off.variables


@pytest.mark.effect("senderid.debug_level")
async def test_it_tells_what_it_finds_if_asked_to(tmp_path: Path) -> None:
    here = way(tmp_path, 'debug_level = "DEBUG"')
    await here.whole("joe@hard.example", "From: joe@a.example", "", "text")
    assert here.place.panics == [
        ("senderid", "mailfrom of hard.example: fail"),
        ("senderid", "pra of a.example: pass"),
    ]
