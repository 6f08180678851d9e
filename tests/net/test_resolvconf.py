"""resolv.conf and hosts."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.resolvconf import Hosts, ResolvConf, Server, WatchedFile, parse, server


def test_a_usual_file() -> None:
    conf = parse("""
        ; a comment
        # another
        domain example.com
        search example.com example.net
        nameserver 192.0.2.1
        nameserver 2001:db8::1
        sortlist 192.0.2.0
        lookup bind file
        options ndots:2 timeout:3 attempts:4 rotate
    """)
    assert conf == ResolvConf((Server("192.0.2.1"), Server("2001:db8::1")), 3.0, 4, False)


def test_without_a_server_this_machine_is_asked() -> None:
    assert parse("nameserver\nnameserver example.com\n").servers == (
        Server("127.0.0.1", trusted=True),
    )


def test_a_server_is_trusted_if_it_is_here_or_the_file_says_so() -> None:
    assert [each.trusted for each in parse("nameserver ::1\nnameserver 192.0.2.1").servers] == [
        True,
        False,
    ]
    assert parse("options trust-ad\nnameserver 192.0.2.1").servers[0].trusted


@pytest.mark.parametrize(
    ("options", "timeout", "attempts"),
    [
        ("timeout:99 attempts:99", 30.0, 5),
        ("retrans:1500 retry:2", 1.5, 2),
        ("timeout: attempts:x timeout:-1", 0.0, 0),
    ],
)
def test_numbers_are_capped_and_nonsense_is_passed_over(
    options: str, timeout: float, attempts: int
) -> None:
    conf = parse(f"options {options}")
    assert (conf.timeout, conf.attempts) == (timeout, attempts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", Server("192.0.2.1", 53)),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("[2001:db8::1]:5353", Server("2001:db8::1", 5353)),
        ("[::1]", Server("::1", 53, trusted=True)),
        ("fe80::1%eth0", Server("fe80::1%eth0", 53)),
        ("192.0.2.1:0", None),
        ("192.0.2.1:99999", None),
        ("example.com", None),
        ("", None),
    ],
)
def test_how_a_server_is_written(text: str, expected: Server | None) -> None:
    assert server(text) == expected


@given(
    st.text()
    | st.lists(st.sampled_from(["nameserver", "options", ":", "timeout:", "1", "\n", " "])).map(
        "".join
    )
)
def test_any_text_is_a_resolv_conf_and_a_hosts_file(text: str) -> None:
    assert parse(text).servers
    Hosts(text)
    server(text)


def test_hosts_have_addresses_of_both_families_in_order() -> None:
    hosts = Hosts("""
        127.0.0.1   localhost   # me
        ::1         localhost ip6-localhost
        192.0.2.2   MX.example. mx
        192.0.2.1   mx.example
        192.0.2.1   mx.example
        nonsense    mx.example
    """)
    assert hosts.addresses("localhost", v6=True) == ("::1",)
    assert hosts.addresses("mx.example", v6=False) == ("192.0.2.2", "192.0.2.1")
    assert hosts.addresses("other.example", v6=False) == ()


def test_a_file_is_read_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("one")
    watched = WatchedFile(str(path))
    assert watched.changed() == "one"
    assert watched.changed() is None
    (tmp_path / "new").write_text("two")
    os.rename(tmp_path / "new", path)
    assert watched.changed() == "two"
    path.unlink()
    assert watched.changed() == ""
    assert watched.changed() is None


def test_a_file_which_cannot_be_read_is_as_it_was(tmp_path: Path) -> None:
    assert WatchedFile(str(tmp_path)).changed() is None
