"""What scripts order is made by what a stanza says and by what they say, which counts more."""

from pathlib import Path
from typing import Any

import pytest

from angarium.mail.auth.sign import Signer
from angarium.modules.sign import orders as ordered
from angarium.modules.sign.orders import MAX_SEALINGS, Order, OrderError, Orders, words
from angarium.policy.mail import Mail
from helpers.departing import KEYS, LETTER, Signing

STANZA = 'opendkim { enabled = false key = "KEYS/%{d}/%{s}.key" selector = "s1" }'
KEYBUF = KEYS["s1"].pem().decode()


class Ordering(Signing):
    """A worker whose scripts order signatures."""

    def __init__(self, folder: Path, text: str = STANZA) -> None:
        super().__init__(folder, text)
        self.keep("example.com/s1.key", KEYS["s1"])
        self.orders = Orders(self.way.means)

    async def dkim(self, order: Order, letter: bytes = LETTER) -> list[dict[bytes, bytes]]:
        [mail] = await self.send(letter)
        done = self.orders.dkim(mail, order)
        assert done is True or (not isinstance(done, bool) and await done)
        return self.tags(mail)


async def test_who_signs_is_made_once_for_equal_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(*arguments: Any) -> Signer:
        made.append(arguments)
        return Signer(*arguments)

    monkeypatch.setattr(ordered, "Signer", counted)
    here = Ordering(tmp_path)
    for _ in range(3):
        await here.dkim(Order(headers="From:Subject"))
    assert len(made) == 1
    await here.dkim(Order(headers="From"))
    assert len(made) == 2


async def test_a_key_which_changed_signs_at_once_when_its_time_is_over(tmp_path: Path) -> None:
    here = Ordering(tmp_path)
    [known] = await here.dkim(Order())
    assert known[b"s"] == b"s1"
    here.keep("example.com/s1.key", KEYS["s2"])
    here.way.place.clock.advance(301)
    [mail] = await here.send()
    done = here.orders.dkim(
        mail, Order(selector="s2", keyfile=str(tmp_path / "example.com/s1.key"))
    )
    assert not isinstance(done, bool)
    assert await done
    assert here.tags(mail)[0][b"s"] == b"s2"


async def test_an_identity_of_another_domain_is_left_out(tmp_path: Path) -> None:
    [known] = await Ordering(tmp_path).dkim(Order(identity="@elsewhere.example"))
    assert b"i" not in known


async def test_oversigned_fields_and_forms_are_as_ordered(tmp_path: Path) -> None:
    order = Order(oversigned="from", header_canon="relaxed", body_canon="relaxed", body_length=True)
    [known] = await Ordering(tmp_path).dkim(order)
    assert known[b"h"].endswith(b":from")
    assert known[b"c"] == b"relaxed/relaxed"
    assert b"l" in known


async def test_a_key_of_an_order_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Ordering(tmp_path, "")
    order = Order(selector="s1", keybuf=KEYBUF)
    await here.dkim(order)
    monkeypatch.setattr(ordered, "private", None)
    await here.dkim(order)


async def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "MAX_KEPT", 4)
    here = Ordering(tmp_path, "")
    order = Order(domain="example.com", selector="s1", keybuf=KEYBUF)
    for number in range(MAX_SEALINGS + 2):
        [mail] = await here.send()
        done = here.orders.arc(mail, order, "none", b"spf=pass (%d)" % number)
        assert isinstance(done, bool) or await done
    assert len(here.orders._sealings) <= MAX_SEALINGS
    for number in range(9):
        await here.dkim(Order(domain="example.com", selector="s1", keybuf=KEYBUF + "\n" * number))
    assert len(here.orders._keys) <= 4
    assert len(here.orders._rules) <= 4
    assert len(here.orders._made) <= 4


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (Order(selector="x"), "has no key"),
        (Order(domain="a/b"), "no name"),
        (Order(headers="a**", marked=True), "no list"),
        (Order(headers="a\x01"), "no name of a field"),
        (Order(keybuf="x"), "no private key"),
    ],
)
async def test_what_cannot_be_done_is_said(tmp_path: Path, order: Order, reason: str) -> None:
    here = Ordering(tmp_path)
    [mail] = await here.send()
    with pytest.raises(OrderError, match=reason):
        await ordering(here, mail, order)


async def ordering(here: Ordering, mail: Mail, order: Order) -> None:
    done = here.orders.dkim(mail, order)
    assert not isinstance(done, bool)
    await done


async def test_orders_are_counted_beside_what_stanzas_sign(tmp_path: Path) -> None:
    here = Ordering(tmp_path)
    older = Order(keybuf=KEYBUF, selector="s1")
    await here.dkim(Order())
    [mail] = await here.send()
    with pytest.raises(OrderError):
        await ordering(here, mail, Order(selector="none"))
    with pytest.raises(OrderError):
        here.orders.dkim(mail, Order(selector="none"))
    done = here.orders.domainkeys(mail, older)
    assert not isinstance(done, bool)
    assert await done
    rows = here.way.means.signatures.rows
    dkim, domainkeys = (rows[kind, "default", "mx.example"] for kind in ("DKIM", "DomainKeys"))
    assert (dkim.signed, dkim.failed, dkim.processed) == (1, 2, 3)
    assert (domainkeys.signed, domainkeys.processed) == (1, 1)


async def test_a_key_which_is_looked_for_is_not_looked_for_twice(tmp_path: Path) -> None:
    here = Ordering(tmp_path)
    [mail] = await here.send()
    missing = Order(selector="none")
    done = here.orders.dkim(mail, missing)
    assert not isinstance(done, bool)
    with pytest.raises(OrderError):
        await done
    with pytest.raises(OrderError):
        here.orders.dkim(mail, missing)


def test_names_of_fields_may_be_put_down_in_several_ways() -> None:
    assert words("From:To, Subject  Date") == ["From", "To", "Subject", "Date"]
