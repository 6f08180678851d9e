"""Faults in stanzas of ACME, and what of a listener's certificate is no fault with one."""

from pathlib import Path

import pytest

from angarium.config.errors import Severity
from angarium.config.load import check_snapshot, snapshot
from helpers.certificates import server

WELL = {
    "directory": '"https://ca.test/dir"', "terms_agreed": "true", "names": "( mx.b.test )",
    "certificate": '"/tls/mx.pem"',
}  # fmt: skip
HTTP = 'http_listener { listen ":80" { only_challenges = true } }\n'


def stanza(name: str = "", /, **changed: str) -> str:
    rows = [f"  {option} = {value}\n" for option, value in (WELL | changed).items() if value]
    return f'acme "{name}" {{\n{"".join(rows)}}}\n' if name else f"acme {{\n{''.join(rows)}}}\n"


def faults(folder: Path, text: str) -> list[tuple[str, Severity]]:
    path = folder / "ecelerity.conf"
    path.write_text(text)
    return [(each.message, each.severity) for each in check_snapshot(snapshot(str(path))).faults]


def test_what_is_whole_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, HTTP + stanza()) == []
    other = stanza("b", certificate='"/tls/b.pem"', key='"/tls/b.key"')
    external = stanza("c", certificate='"/c.pem"', external_key_id="k", external_key='"QUJD-_8="')
    assert faults(tmp_path, HTTP + stanza("a") + other + external) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"directory": ""}, "no authority is named"),
        ({"names": ""}, "no name is given which the certificate is for"),
        ({"certificate": ""}, "no file is named for the certificate"),
        ({"terms_agreed": ""}, "the terms of the authority are not agreed to"),
        ({"terms_agreed": "false"}, "the terms of the authority are not agreed to"),
        ({"names": f"( {' '.join(f'a{n}.b.test' for n in range(101))} )"}, "for 100 names at most"),
        ({"external_key_id": "k"}, "go together"),
        ({"external_key": "QUJD"}, "go together"),
        ({"external_key_id": "k", "external_key": '"no base64!"'}, "no base64url"),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    [(said, severity)] = faults(tmp_path, HTTP + stanza(**changed))
    assert message in said
    assert severity is Severity.ERROR


def test_two_which_write_one_file_are_refused(tmp_path: Path) -> None:
    [(said, severity)] = faults(tmp_path, HTTP + stanza("a") + stanza("b"))
    assert said == "another acme stanza writes /tls/mx.pem too"
    assert severity is Severity.ERROR
    one = stanza("a", key='"/tls/mx.pem"')
    assert faults(tmp_path, HTTP + one) == []


def test_who_answers_no_challenge_is_warned(tmp_path: Path) -> None:
    [(said, severity)] = faults(tmp_path, stanza())
    assert said == "no http_listener of ours answers the challenges of the authority"
    assert severity is Severity.WARNING


def test_a_certificate_which_acme_is_to_bring_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "mx.pem"
    listener = f"""
    esmtp_listener {{ listen ":25" {{
      tls_certificate = "{path}"
      tls_sni_certificates = [ a.test = "{path}" ]
    }} }}
    """
    [(said, severity)] = faults(tmp_path, HTTP + listener + stanza(certificate=f'"{path}"'))
    assert said == f"{path} is not there yet: no TLS before ACME has brought it"
    assert severity is Severity.WARNING
    without = faults(tmp_path, HTTP + listener)
    assert [each for each, _ in without if "cannot be read" in each]
    path.write_bytes(server().certificate)
    wrong = faults(tmp_path, HTTP + listener + stanza(certificate=f'"{path}"'))
    assert {severity for _, severity in wrong} == {Severity.ERROR}
