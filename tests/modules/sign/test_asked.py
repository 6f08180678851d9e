"""DNS of the worker for the engines."""

import pytest

from angarium.mail.auth.asking import NameTrouble, NoSuchName
from angarium.modules.sign.asked import Asked
from helpers.dns import FakeDns

ZONE = """
a.example      TXT v=spf1 -all
a.example      MX 10 mx.a.example
a.example      A 192.0.2.1
a.example      AAAA 2001:db8::1
slow.example   SERVFAIL
1.2.0.192.in-addr.arpa PTR a.example
"""


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("a.example", "TXT", (b"v=spf1 -all",)),
        ("A.example.", "MX", ((10, "mx.a.example"),)),
        ("a.example", "A", ("192.0.2.1",)),
        ("a.example", "AAAA", ("2001:db8::1",)),
        ("a.example", "PTR", ()),
        ("1.2.0.192.in-addr.arpa", "PTR", ("a.example",)),
    ],
)
async def test_records_come_as_the_engines_want_them(
    name: str, kind: str, records: tuple[object, ...]
) -> None:
    assert await Asked(FakeDns(ZONE))(name, kind) == records


@pytest.mark.parametrize("kind", ["TXT", "MX", "A"])
async def test_what_is_not_there_and_what_cannot_be_told_are_not_the_same(kind: str) -> None:
    ask = Asked(FakeDns(ZONE))
    with pytest.raises(NoSuchName):
        await ask("gone.example", kind)
    with pytest.raises(NameTrouble):
        await ask("slow.example", kind)


@pytest.mark.parametrize("name", ["a\\b.example", "a\\.example", "a b.example", '"a".example'])
async def test_a_name_may_have_any_characters(name: str) -> None:
    with pytest.raises(NoSuchName):
        await Asked(FakeDns(ZONE))(name, "TXT")
