"""greylist: who has to come again, and who is known."""

from pathlib import Path

import pytest

from angarium.modules.guard import journal
from angarium.modules.guard.greylist import Greylist
from angarium.policy.hooks import RcptTo
from angarium.policy.shared.node import Shared
from angarium.policy.verdict import CONT
from helpers.guards import Place, refusal, session, until

CLIENT = "192.0.2.1"


class Listed:
    """The module, and clients which name recipients."""

    def __init__(self, folder: Path, options: str = "", shared: Shared | None = None) -> None:
        self.place = Place(folder, f"greylist {{ {options} }}", shared)
        self.module = self.place.module(Greylist)
        self.status = ""

    def rcpt(
        self, client: str = CLIENT, sender: str = "a@x.test", recipient: str = "b@example.com"
    ) -> str:
        """Return the answer to a recipient; "" is yes."""
        who = session(client, sender)
        verdict = self.module.recipient(RcptTo(who, recipient))
        self.status = who.variables.get("greylist_status", "")
        reply = refusal(who)
        assert (verdict is CONT) == (reply is None)
        return str(reply or "")


@pytest.mark.effect("greylist.delay", "greylist.reply")
async def test_who_comes_again_after_the_delay_is_known(tmp_path: Path) -> None:
    listed = Listed(tmp_path)
    assert listed.rcpt() == "451 4.7.1 please come again in 300 seconds"
    assert listed.status == "first"
    listed.place.clock.advance(299)
    assert listed.rcpt() == "451 4.7.1 please come again in 1 seconds"
    assert listed.status == "early"
    listed.place.clock.advance(1)
    assert listed.rcpt() == ""
    assert listed.status == "passed"
    assert listed.rcpt() == ""
    assert listed.status == "known"
    assert listed.place.metrics.snapshot()["greylist_passed"] == 1
    other = Listed(tmp_path, 'delay = 5 reply = "450 later"')
    assert other.rcpt() == "450 later"
    other.place.clock.advance(5)
    assert other.rcpt() == ""


async def test_another_sender_recipient_or_network_is_another_one(tmp_path: Path) -> None:
    listed = Listed(tmp_path)
    listed.rcpt()
    listed.place.clock.advance(300)
    assert listed.rcpt(sender="c@x.test") != ""
    assert listed.rcpt(recipient="c@example.com") != ""
    assert listed.rcpt(client="192.0.3.1") != ""
    assert listed.rcpt(client="192.0.2.77", sender="A@X.test", recipient="B@Example.com") == ""


async def test_numbers_in_a_sender_do_not_count(tmp_path: Path) -> None:
    listed = Listed(tmp_path)
    listed.rcpt(sender="bounces-17-b=example.com@list.test")
    listed.place.clock.advance(300)
    assert listed.rcpt(sender="bounces-18-b=example.com@list.test") == ""


@pytest.mark.effect("greylist.ipv4_prefix", "greylist.ipv6_prefix")
async def test_how_much_of_an_address_counts_is_said(tmp_path: Path) -> None:
    listed = Listed(tmp_path, "ipv4_prefix = 32 ipv6_prefix = 48")
    listed.rcpt()
    listed.rcpt(client="2001:db8:0:1::1")
    listed.place.clock.advance(300)
    assert listed.rcpt(client="192.0.2.2") != ""
    assert listed.rcpt(client="2001:db8:0:2::1") == ""


@pytest.mark.effect("greylist.retry_window")
async def test_who_comes_too_late_begins_anew(tmp_path: Path) -> None:
    listed = Listed(tmp_path, "retry_window = 600")
    listed.rcpt()
    listed.place.clock.advance(601)
    assert listed.rcpt() != ""
    assert listed.status == "first"


@pytest.mark.effect("greylist.lifetime")
async def test_who_was_not_seen_for_long_begins_anew(tmp_path: Path) -> None:
    listed = Listed(tmp_path, "lifetime = 1000 networks_after = 0")
    listed.rcpt()
    listed.place.clock.advance(300)
    listed.rcpt()
    listed.place.clock.advance(900)
    assert listed.rcpt() == ""  # which counts anew from here
    listed.place.clock.advance(900)
    assert listed.rcpt() == ""
    listed.place.clock.advance(1001)
    assert listed.rcpt() != ""


@pytest.mark.effect("greylist.networks_after")
async def test_a_network_of_which_enough_came_again_is_let_through(tmp_path: Path) -> None:
    listed = Listed(tmp_path, "networks_after = 2")
    for sender in ("a@x.test", "b@y.test"):
        listed.rcpt(sender=sender)
        assert listed.status == "first"
    listed.place.clock.advance(300)
    for sender in ("a@x.test", "b@y.test"):
        listed.rcpt(sender=sender)
    assert listed.rcpt(sender="new@z.test") == ""
    assert listed.status == "network"
    assert listed.rcpt(client="192.0.3.1") != ""


@pytest.mark.effect("greylist.exempt", "greylist.exempt_domains")
async def test_some_clients_and_some_recipients_are_let_through(tmp_path: Path) -> None:
    listed = Listed(tmp_path, 'exempt = ( "192.0.2.0/24" ) exempt_domains = "a.test, *.b.test"')
    assert listed.rcpt() == ""
    other = "192.0.3.1"
    assert listed.rcpt(other, recipient="x@A.test") == ""
    assert listed.rcpt(other, recipient="x@c.b.test") == ""
    assert listed.rcpt(other, recipient="x@b.test") != ""
    assert len(listed.place.shared.all_values()[0]) == 1


@pytest.mark.effect("greylist.max_entries")
async def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    listed = Listed(tmp_path, "max_entries = 10")
    for number in range(50):
        listed.rcpt(sender=f"{'x' * number}@x.test")
    assert len(listed.place.shared.all_values()[0]) == 10


@pytest.mark.effect("greylist.enabled")
async def test_off_it_asks_nobody_to_come_again_by_itself(tmp_path: Path) -> None:
    assert Listed(tmp_path).place.asks(RcptTo)
    assert not Listed(tmp_path, "enabled = false").place.asks(RcptTo)


async def test_it_is_known_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.01)
    before = Listed(tmp_path)
    before.module.start()
    before.rcpt()
    await until((tmp_path / "policy" / "greylist").exists)
    before.module.stop()
    after = Listed(tmp_path)
    after.module.start()
    after.place.clock.advance(300)
    assert after.rcpt() == ""
    after.module.stop()
    assert before.place.panics == after.place.panics == []


@pytest.mark.effect("greylist.debug_level")
@pytest.mark.parametrize(("level", "told"), [("ERROR", 1), ("CRITICAL", 0)])
async def test_what_goes_wrong_is_told_to_who_wants_to_know(
    tmp_path: Path, level: str, told: int
) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "greylist").write_bytes(b"nonsense")
    listed = Listed(tmp_path, f"debug_level = {level}")
    listed.module.start()
    listed.module.stop()
    assert len(listed.place.panics) == told
