"""msys.validate.dkim: what version 3 had for scripts, about what dkim_validate has found."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.modules.sign.reflect import due
from angarium.policy.context import Session, Steps
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, Signing
from helpers.luamail import receiving, said, script, scripted
from helpers.objects import mail, refused
from helpers.objects import said as answer

FINAL = "core_final_validation"
LINES = LETTER.decode().removesuffix("\r\n").split("\r\n")
ZONE = f"s1._domainkey.example.com TXT {KEYS['s1'].record().decode()}"


async def signed(folder: Path) -> list[str]:
    server = Signing(folder, 'opendkim { key = "KEYS/s1" selector = "s1" }')
    server.keep("s1", KEYS["s1"])
    [made] = await server.send()
    octets = made.draft.whole().replace(b"Received: by us\r\n", b"")
    return octets.decode().removesuffix("\r\n").split("\r\n")


async def test_a_message_is_signed_as_a_script_says_with_signs_in_its_list(tmp_path: Path) -> None:
    body = """
    return msys.validate.dkim.sign(nil, nil, { selector = "s1", headerlist = "From:X-No:Subject?",
      keyfile = "KEYS/%{d}/%{s}.key" })
    """
    server = scripted(tmp_path, FINAL, body)
    made, came = await server.leaves()
    [known] = server.tags(made)
    assert (came, known[b"h"]) == (["true"], b"from:x-no:subject")
    stanza = 'dkim_sign { enabled = false key = "KEYS/example.com/s2.key" selector = "s2" }'
    bare = scripted(tmp_path, FINAL, "return msys.validate.dkim.sign(msg, vctx)", stanza)
    made, _ = await bare.leaves()
    [known] = bare.tags(made)
    assert known[b"s"] == b"s2"


LOOK = """
local d = msys.validate.dkim
local count, results = d.get_verify_results(vctx)
local found = { count, d.verify_results_get_count(results), results.ref }
for i = 0, count - 1 do
  local one = d.verify_results_get_item(results, i)
  for _, each in ipairs({ d.verify_status_to_string(one.status), one.diagnostic, one.query,
    one.algorithm, one.domain, one.selector, one.identity }) do found[#found + 1] = each end
end
found[#found + 1] = table.concat(d.get_domains(msg, vctx), ",")
return unpack(found)
"""


async def test_what_dkim_validate_has_found_can_be_asked(tmp_path: Path) -> None:
    lines = await signed(tmp_path)
    server = receiving(tmp_path, "validate_data_spool", LOOK, "dkim_validate { }", ZONE)
    await server.whole("joe@example.com", *lines)
    assert said(server.mail) == [
        "1", "1", "1", "pass", "pass", "dns/txt", "rsa-sha256", "example.com", "s1",
        "@example.com", "example.com",
    ]  # fmt: skip
    await server.whole("joe@example.com", *lines, "more")
    assert said(server.mail)[3:5] == ["fail", "the body was changed"]
    assert said(server.mail)[-1] == ""
    await server.whole("joe@example.com", *LINES)
    assert said(server.mail) == ["0", "0", "1", ""]


async def test_without_dkim_validate_there_is_nothing(tmp_path: Path) -> None:
    lines = await signed(tmp_path)
    server = receiving(tmp_path, "validate_data_spool", LOOK, "", ZONE)
    await server.whole("joe@example.com", *lines)
    assert said(server.mail) == ["0", "0", "1", ""]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("verify_results_get_count(nil)", "No verification results to count."),
        ("verify_results_get_item(nil, 0)", "No verification results to get item from"),
        ("verify_status_to_string(nil)", "No status code is passed in"),
        ("verify_status_to_string(99)", "99 is no status"),
        ("get_domains()", "there is no message"),
        ("reflect(nil, nil, 'a@b.c', 'd@e.f')", "no message is under way"),
    ],
)
def test_what_is_missing_is_an_error(call: str, reason: str) -> None:
    assert reason in refused(f"return msys.validate.dkim.{call}")


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ("nil", "Index value not specified"),
        ("0", "Index value is greater than the number of verification results"),
        ("-1", "Index value is greater than the number of verification results"),
    ],
)
def test_a_result_has_a_number(index: str, reason: str) -> None:
    text = """
    local _, found = msys.validate.dkim.get_verify_results()
    return msys.validate.dkim.verify_results_get_item(found, %s)
    """
    assert reason in refused(text % index)


REFLECT = """
require("msys.core")
require("msys.validate.dkim")
local mod = {}
function mod:validate_mailfrom(str, ac, vctx)
  msys.validate.dkim.reflect(nil, vctx, "postmaster@us.example", "a@b.example; <c@d.example>",
    "Well?", "Here you are.")
  return msys.core.VALIDATE_CONT
end
msys.registerModule("lua", mod)
"""


def reflecting(folder: Path, sent: list[Any]) -> Way:
    def inject(message: Any, recipients: Any, done: Any) -> None:
        sent.append((message, recipients))
        done(None)

    stanza = script(folder, "validate_mailfrom", "")
    (folder / "lua.lua").write_text(REFLECT)
    return Way(folder, stanza + "dkim_validate { }", ZONE, admit=SimpleNamespace(inject=inject))


async def test_the_outcome_is_sent_to_whom_a_script_names(tmp_path: Path) -> None:
    sent: list[Any] = []
    lines = await signed(tmp_path)
    server = reflecting(tmp_path, sent)
    await server.whole("joe@example.com", *lines)
    assert not server.place.panics
    [(message, recipients)] = sent
    assert [each.address for each in recipients] == ["a@b.example", "c@d.example"]
    content = message.body.whole().decode()
    assert "To: a@b.example\r\n" in content
    assert "c@d.example" not in content
    assert "Subject: Well?\r\n" in content
    assert "Here you are." in content
    assert "dkim=3Dpass" in content
    assert "DKIM-Signature:" in content
    assert message.sender == ""


def test_it_is_asked_for_before_the_content_comes() -> None:
    session = Session()
    under = mail(session=session, step=Steps.DATA)
    text = "msys.validate.dkim.reflect(msg, vctx, 'a@b.example', '%s')"
    assert "it is too late" in refused(text % "c@d.example", under, session)
    under.step = Steps.RCPT
    assert "are no addresses" in refused(text % "nobody", under, session)
    assert "are no addresses" in refused(text % " ; ", under, session)
    answer(text % "c@d.example", under, session)
    assert len(due(session)) == 1
