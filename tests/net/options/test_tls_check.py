"""Faults of TLS in a configuration, with the line they stand in."""

from pathlib import Path

import pytest

from angarium.config.errors import ConfigError, Severity
from angarium.config.load import check_snapshot, load, load_snapshot, load_text, snapshot
from helpers.certificates import authority, server

TEXT = """\
esmtp_listener {{
  listen "127.0.0.1:25" {{
    {}
  }}
}}
"""


def written(folder: Path, options: str, top: str = "") -> str:
    path = folder / "ecelerity.conf"
    path.write_text(TEXT.format(options) + top)
    return str(path)


def faults(path: str) -> list[tuple[int, str, Severity]]:
    return [
        (each.line, each.message, each.severity)
        for each in check_snapshot(snapshot(path)).faults
        if "tls" in each.message or "certificate" in each.message
    ]


def test_a_certificate_which_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'tls_certificate = "/nowhere/a.pem"')
    [(line, message, severity)] = faults(path)
    assert (line, severity) == (3, Severity.ERROR)
    assert "/nowhere/a.pem cannot be read" in message
    with pytest.raises(ConfigError, match=r"ecelerity\.conf:3:"):
        load(path)


def test_a_key_is_told_where_it_stands(tmp_path: Path) -> None:
    certificate, _ = server().write(tmp_path, "one")
    _, key = authority().signed("other.example").write(tmp_path, "two")
    path = written(tmp_path, f'tls_certificate = "{certificate}"\n    tls_key = "{key}"')
    [(line, message, _)] = faults(path)
    assert line == 4
    assert "is not that of the certificate" in message


def test_what_a_process_builds_again_needs_no_files(tmp_path: Path) -> None:
    """A worker which is started again must come up, whatever has gone meanwhile."""
    path = written(tmp_path, 'tls_certificate = "/nowhere/a.pem"')
    assert load_snapshot(snapshot(path), 2, files=False).generation == 2
    assert load_text(Path(path).read_text(encoding="ascii")).generation == 1


def test_tls_from_the_beginning_needs_a_certificate_somewhere(tmp_path: Path) -> None:
    [(line, message, _)] = faults(written(tmp_path, "use_ssl = true"))
    assert (line, "use_ssl has no certificate" in message) == (3, True)
    certificate, key = server().write(tmp_path, "one")
    files = f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'
    assert faults(written(tmp_path, "use_ssl = true", files)) == []


def test_who_requires_certificates_says_whose(tmp_path: Path) -> None:
    [(line, message, _)] = faults(written(tmp_path, "tls_verify_mode = require"))
    assert (line, "none counts" in message) == (3, True)


def test_what_the_library_does_not_know_is_told(tmp_path: Path) -> None:
    options = 'tls_ciphers = "NORMAL"\n    tls_protocols = "+TLSv1.0"'
    found = faults(written(tmp_path, options))
    assert [line for line, _, _ in found] == [3, 4]


def test_a_console_goes_on_without_its_certificate(tmp_path: Path) -> None:
    top = 'control_listener { listen "127.0.0.1:2025" { tls_certificate = "/nowhere" } }'
    [(_, _, severity)] = faults(written(tmp_path, "", top))
    assert severity is Severity.WARNING
