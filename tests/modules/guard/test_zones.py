import pytest

from angarium.modules.guard.zones import zone


@pytest.mark.parametrize(
    ("written", "domain", "weight", "listed", "not_listed"),
    [
        ("zen.example.org", "zen.example.org", 1, "127.0.0.2", "10.0.0.1"),
        ("ZEN.example.org.*3", "zen.example.org", 3, "127.255.0.9", "192.0.2.1"),
        ("l.test=127.0.0.2", "l.test", 1, "127.0.0.2", "127.0.0.3"),
        ("l.test=127.0.0.[2..4;10]*-2", "l.test", -2, "127.0.0.10", "127.0.0.5"),
        ("l.test=127.0.[0..255].0", "l.test", 1, "127.0.77.0", "127.0.77.1"),
        ("l.test", "l.test", 1, "127.0.0.1", "no address"),
    ],
)
def test_a_list_is_written_as_postscreen_has_it(
    written: str, domain: str, weight: int, listed: str, not_listed: str
) -> None:
    found = zone(written)
    assert (found.domain, found.weight) == (domain, weight)
    assert found.counts(["127.0.0.99", listed] if not found.answers else [listed])
    assert not found.counts([not_listed])
    assert not found.counts([])


@pytest.mark.parametrize(
    "written",
    ["", "a b", "l.test=127.0.0", "l.test=127.0.0.0.1", "l.test=127.0.0.[9..2]", "l.test=x.0.0.1",
     "l.test=127.0.0.256", "l.test*0", "l.test*x", "l..test", "-.test", "l.test=127.0.0.[1..2"],
)  # fmt: skip
def test_what_is_no_list_is_an_error(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        zone(written)


def test_the_question_is_the_address_backwards() -> None:
    found = zone("l.test")
    assert found.question("192.0.2.1") == "1.2.0.192.l.test"
    assert found.question("2001:db8::1") == f"1.{'0.' * 23}8.b.d.0.1.0.0.2.l.test"
