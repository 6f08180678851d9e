"""Files of private keys are for us and the server, and are never replaced."""

import stat
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.run.keyfiles import exposed, read_key, write_key
from helpers.signing import key


def test_a_key_is_written_for_few_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "example.com" / "s1.key"
    write_key(path, key("ed25519"))
    assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0
    assert read_key(path).record() == key("ed25519").record()
    assert not exposed(path)
    path.chmod(0o644)
    assert exposed(path)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"mine")
    with pytest.raises(Error, match="is there already"):
        write_key(tmp_path / "key", key())
    assert (tmp_path / "key").read_bytes() == b"mine"


def test_what_is_no_key_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(key().pem()[:200])
    with pytest.raises(Error, match=f"{tmp_path}/key: this is no private key"):
        read_key(tmp_path / "key")
    with pytest.raises(OSError, match="No such file"):
        read_key(tmp_path / "none")
