"""What lies in the state directory, and how it gets there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.acme import certificates, folder
from angarium.net.acme.folder import Folder, Record
from angarium.wire.acme import jose
from angarium.wire.acme.errors import AcmeError
from helpers.certificates import server

TOKEN = "T" * 43


@pytest.fixture
def kept(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.make()
    return made


def test_an_account_is_made_once_for_each_authority(kept: Folder, tmp_path: Path) -> None:
    one, two = (kept.account(f"https://{each}.test") for each in ("a", "b"))
    assert jose.public(kept.account("https://a.test")) == jose.public(one) != jose.public(two)
    files = list((tmp_path / "acme").glob("account-*.pem"))
    assert len(files) == 2
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    files[0].write_bytes(b"x")
    with pytest.raises(AcmeError):
        [kept.account(f"https://{each}.test") for each in ("a", "b")]


def test_a_challenge_is_found_by_another_process_while_it_is_shown(
    kept: Folder, tmp_path: Path
) -> None:
    kept.show(TOKEN, f"{TOKEN}.x")
    assert Folder(tmp_path).shown(TOKEN) == f"{TOKEN}.x".encode()
    kept.make()
    assert kept.shown(TOKEN) is None
    with pytest.raises(AcmeError, match="no token"):
        kept.show("../../x" * 5, "y")


@given(st.text(max_size=300))
def test_whatever_is_asked_for_nothing_else_is_found(token: str) -> None:
    assert Folder(Path("/proc/self")).shown(token) is None
    assert Folder(Path("/")).shown(f"../../{token}") is None


def test_one_orders_at_a_time(kept: Folder, tmp_path: Path) -> None:
    with kept.alone() as first:
        assert first
        with Folder(tmp_path).alone() as second:
            assert not second
    with Folder(tmp_path).alone() as third:
        assert third


def test_what_came_of_orders_outlives_us_and_what_is_spoilt_is_forgotten(
    kept: Folder, tmp_path: Path
) -> None:
    records = {"/a.pem": Record("wish", 2, 1.0, 3.0, "no")}
    kept.keep(records)
    assert Folder(tmp_path).records() == records
    (tmp_path / "acme" / "orders.json").write_bytes(b"[" * 100000)
    assert kept.records() == {}


def test_a_pair_is_written_to_one_file_or_two(tmp_path: Path) -> None:
    key, chain = certificates.made("ecdsa"), server().certificate
    one, two, three = (tmp_path / name for name in ("one.pem", "two.crt", "two.key"))
    one.write_bytes(b"before")
    folder.write_pair(one, one, chain, key)
    folder.write_pair(two, three, chain, key)
    assert one.read_bytes() == certificates.pem(key) + chain
    assert (two.read_bytes(), three.read_bytes()) == (chain, certificates.pem(key))
    assert [each.stat().st_mode & 0o777 for each in (one, three)] == [0o600, 0o600]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.pem", "two.crt", "two.key"]


def test_where_nothing_can_be_written_is_known_before(tmp_path: Path) -> None:
    there = tmp_path / "a.pem"
    assert folder.writable(there, there) == ""
    assert "no directory" in folder.writable(tmp_path / "x" / "a.pem", there)
    assert "no directory" in folder.writable(there, tmp_path / "x" / "a.key")
    assert "may not write" in folder.writable(Path("/proc/self/a.pem"), there)
