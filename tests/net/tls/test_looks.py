"""What is said of certificates and keys, by kind of fault."""

import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from angarium.net.tls.contexts import ContextError
from angarium.net.tls.looks import LOOKS, SOON_DAYS
from helpers.certificates import authority, server

NOW = datetime.datetime.now(datetime.UTC)
LOOK = LOOKS["tls_certificate"]


def said(path: Path, key: Path | None) -> list[str]:
    return list(LOOK(str(path), None if key is None else str(key)))


def test_a_good_certificate_is_nothing_to_speak_of(tmp_path: Path) -> None:
    certificate, key = server().write(tmp_path, "good")
    assert said(certificate, key) == []
    both = tmp_path / "both"
    both.write_bytes(server().whole)
    assert said(both, None) == []
    assert list(LOOK("none", None)) == []


@pytest.mark.parametrize(
    ("days", "words"), [(-3, "has expired on"), (SOON_DAYS - 1, f"expires in {SOON_DAYS - 2} days")]
)
def test_a_certificate_which_ends_is_a_warning(tmp_path: Path, days: int, words: str) -> None:
    pair = authority().signed("mx.example.com", ends=NOW + datetime.timedelta(days=days))
    [warning] = said(*pair.write(tmp_path, "old"))
    assert words in warning


def test_a_key_of_another_certificate_is_no_key(tmp_path: Path) -> None:
    certificate, _ = server().write(tmp_path, "one")
    _, key = authority().signed("other.example").write(tmp_path, "two")
    with pytest.raises(ContextError, match="is not that of the certificate") as caught:
        said(certificate, key)
    assert caught.value.option == "tls_key"


def test_files_which_are_not_there_or_something_else_are_named(tmp_path: Path) -> None:
    certificate, key = server().write(tmp_path, "one")
    with pytest.raises(ContextError, match=r"tls_key: .*nowhere cannot be read: No such file"):
        said(certificate, tmp_path / "nowhere")
    with pytest.raises(ContextError, match=r"tls_certificate: .*nowhere cannot be read"):
        said(tmp_path / "nowhere", key)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ContextError, match="no certificate in PEM"):
        said(tmp_path / "text", key)
    with pytest.raises(ContextError, match=r"tls_key: there is no private key in PEM in .*text"):
        said(certificate, tmp_path / "text")


def test_a_key_with_a_passphrase_is_refused_without_asking_a_terminal(tmp_path: Path) -> None:
    certificate, key = server().write(tmp_path, "one")
    loaded = serialization.load_pem_private_key(server().key, None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ContextError, match="passphrase"):
        said(certificate, key)


@pytest.mark.parametrize("option", ["tls_client_ca", "tls_ca", "tls_dhparams_file"])
def test_other_files_are_looked_at_too(tmp_path: Path, option: str) -> None:
    (tmp_path / "text").write_text("hello")
    for name in ("text", "nowhere"):
        with pytest.raises(ContextError, match=option):
            list(LOOKS[option](str(tmp_path / name), None))
    assert list(LOOKS[option]("none", None)) == []
