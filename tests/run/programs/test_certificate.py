"""Certificates and requests, as openssl reads them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.programs.certificate import KINDS, command, create_ssl_cert

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")


def openssl(*words: str | Path) -> str:
    done = subprocess.run(
        ["openssl", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.decode()


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(each) for each in words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.mark.parametrize("kind", [each for each in KINDS if each not in ("rsa:3072", "rsa:4096")])
def test_a_certificate_is_one_for_openssl(tmp_path: Path, kind: str) -> None:
    key, out = tmp_path / "k.pem", tmp_path / "c.pem"
    names = ("mx.example.com", "*.exämple.test", "192.0.2.1", "2001:db8::1")
    assert run(*names, "--key", key, "--out", out, "--kind", kind, "--days", "30") == (0, "")
    text = openssl("x509", "-in", out, "-noout", "-text")
    assert "DNS:mx.example.com, DNS:*.xn--exmple-cua.test, IP Address:192.0.2.1" in text
    assert "IP Address:2001:DB8:" in text
    assert "CN = mx.example.com" in text or "CN=mx.example.com" in text
    assert "CA:FALSE" in text
    openssl("verify", "-CAfile", out, "-verify_hostname", "mx.example.com", out)
    openssl("verify", "-CAfile", out, "-verify_ip", "2001:db8::1", out)
    assert openssl("x509", "-in", out, "-noout", "-checkend", str(29 * 86400))
    assert openssl("pkey", "-in", key, "-pubout") == openssl(
        "x509", "-in", out, "-noout", "-pubkey"
    )
    assert not key.stat().st_mode & 0o027
    assert out.stat().st_mode & 0o777 == 0o644


def test_a_request_with_a_key_that_is_there(tmp_path: Path) -> None:
    key = tmp_path / "k.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    before = key.read_bytes()
    out = tmp_path / "r.pem"
    names = ("mx.example.com", "b.example.com")
    assert run(*names, "--csr", "--use-key", "--key", key, "--out", out) == (0, "")
    assert key.read_bytes() == before
    text = openssl("req", "-in", out, "-noout", "-verify", "-text")
    assert "DNS:mx.example.com, DNS:b.example.com" in text


def test_a_name_too_long_for_the_subject_is_in_the_extension_only(tmp_path: Path) -> None:
    name = ".".join(["a" * 40, "b" * 40, "test"])
    out = tmp_path / "c.pem"
    assert run(name, "--key", tmp_path / "k", "--out", out, "--kind", "ec:p256") == (0, "")
    text = openssl("x509", "-in", out, "-noout", "-text")
    assert f"DNS:{name}" in text
    assert "Subject Alternative Name: critical" in text


def test_nothing_is_replaced(tmp_path: Path) -> None:
    key, out = tmp_path / "k.pem", tmp_path / "c.pem"
    key.write_text("mine")
    code, told = run("a.test", "--key", key, "--out", out, "--kind", "ec:p256")
    assert code == 1
    assert "is there already" in told
    assert key.read_text() == "mine"
    assert not out.exists()
    assert run("a.test", "--use-key", "--key", key, "--out", out)[0] == 1
    key.unlink()
    out.symlink_to(tmp_path / "elsewhere")
    assert run("a.test", "--key", key, "--out", out, "--kind", "ec:p256")[0] == 1
    assert not key.exists()
    assert sorted(os.listdir(tmp_path)) == ["c.pem"]


@pytest.mark.parametrize("name", ["", "a b", "-", "[1.2.3]", "a\nb", "300.1.1.1.1."])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    assert run("--key", tmp_path / "k", "--out", tmp_path / "c", "--", name)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_as_momentum_calls_it(tmp_path: Path) -> None:
    user = "root" if os.getuid() == 0 else "nobody"
    words = ["msyspg", "db.example.com", str(tmp_path), user]
    result = CliRunner().invoke(create_ssl_cert, words)
    assert (result.exit_code, result.output) == (0, "")
    text = openssl("x509", "-in", tmp_path / "server.crt", "-noout", "-text")
    assert "Public-Key: (2048 bit)" in text
    assert openssl("x509", "-in", tmp_path / "server.crt", "-noout", "-checkend", str(364 * 86400))
    assert CliRunner().invoke(create_ssl_cert, words).exit_code == 1
    assert CliRunner().invoke(create_ssl_cert, ["what", "x", str(tmp_path)]).exit_code == 2
