"""DNS as pure code asks it."""

import asyncio

import pytest

from angarium.mail.auth import asking
from angarium.mail.auth.asking import NoSuchName, Record, at_once


async def _ask(name: str, kind: str) -> tuple[Record, ...]:
    records: dict[tuple[str, str], tuple[Record, ...]] = {
        ("example.com", "TXT"): (b"v=spf1 -all",),
        ("example.com", "MX"): ((10, "mx.example.com"),),
        ("example.com", "A"): ("192.0.2.1",),
        ("1.2.0.192.in-addr.arpa", "PTR"): ("example.com",),
    }
    if not any(each == name for each, _ in records):
        raise NoSuchName("there is no such name", name=name)
    return records.get((name, kind), ())


def test_each_kind_comes_typed() -> None:
    assert at_once(asking.texts(_ask, "example.com")) == (b"v=spf1 -all",)
    assert at_once(asking.addresses(_ask, "example.com", "A")) == ("192.0.2.1",)
    assert at_once(asking.addresses(_ask, "example.com", "AAAA")) == ()
    assert at_once(asking.exchanges(_ask, "example.com")) == ((10, "mx.example.com"),)
    assert at_once(asking.pointers(_ask, "1.2.0.192.in-addr.arpa")) == ("example.com",)


def test_what_does_not_exist_is_no_empty_answer() -> None:
    with pytest.raises(NoSuchName):
        at_once(asking.texts(_ask, "other.example"))


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("example.com", True),
        ("example.com.", True),
        ("_dmarc.example.com", True),
        ("a" * 63 + ".com", True),
        ("a" * 64 + ".com", False),
        (".".join(["a" * 49] * 5) + ".abc", True),  # 253 characters
        (".".join(["a" * 49] * 5) + ".abcd", False),
        ("", False),
        ("a..com", False),
        (".a", False),
        ("müller.example", False),
    ],
)
def test_a_name_has_labels_of_1_to_63_and_253_in_all(name: str, good: bool) -> None:
    assert asking.is_name(name) is good


def test_what_waits_is_not_run_at_once() -> None:
    async def waits() -> int:
        await asyncio.sleep(0)
        return 1

    with pytest.raises(RuntimeError):
        at_once(waits())
