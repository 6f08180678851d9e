"""Faults of TLS in a configuration, with the line they stand in."""

import os
import ssl
from pathlib import Path

import pytest

from angarium.config.errors import ConfigError, Severity
from angarium.config.held import Held
from angarium.config.load import check_snapshot, load, load_snapshot, load_text, snapshot
from angarium.net.options.tls_check import files_of
from angarium.net.tls.contexts import ContextError
from angarium.net.tls.contexts import load as load_key
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


def test_what_cannot_be_read_any_more_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    certificate, key = server().write(tmp_path, "own")
    path = written(tmp_path, f'tls_certificate = "{certificate}"\n    tls_key = "{key}"')
    held = Held.of(files_of(load(path).root))
    assert held.files.keys() == {str(certificate), str(key)}
    key.unlink()
    with pytest.raises(ConfigError, match=r"ecelerity\.conf:4:.*own\.key cannot be read"):
        load(path)
    [note] = [
        each for each in load_snapshot(snapshot(path), held=held).notes
        if each.severity is Severity.WARNING
    ]  # fmt: skip
    assert (note.line, note.message) == (
        4, f"tls_key: what {key} held at the start counts until a restart"
    )  # fmt: skip
    # Nobody who writes a new certificate is left with a pair which does not fit.
    authority().signed("other.example").write(tmp_path, "newer")
    certificate.write_bytes((tmp_path / "newer.crt").read_bytes())
    with pytest.raises(ConfigError, match="is not that of the certificate"):
        load_snapshot(snapshot(path), held=held)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_who_may_not_read_a_file_is_named(tmp_path: Path) -> None:
    certificate, key = server().write(tmp_path, "own")
    pid = os.fork()
    if pid == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            load_key(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), str(certificate), str(key), "x")
        except ContextError as error:
            os._exit(0 if "cannot be read by nobody: Permission denied" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
