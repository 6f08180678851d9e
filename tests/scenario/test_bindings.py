"""Several identities of one server: each sends from its address, and may come and go."""

from pathlib import Path

import pytest

from helpers.operators import operator
from helpers.outlook import Outlook, second
from helpers.preload import preload

BINDINGS = """
binding "default" { bind_address = "127.0.2.1" }
binding_group "g" {
  binding "one" { bind_address = "127.0.2.11"  ehlo_hostname = "one.node.test" }
  binding "two" { bind_address = "127.0.2.12"  ehlo_hostname = "two.node.test" }
}
"""
EVERYWHERE = "* A 127.0.0.1"


@pytest.mark.effect("bind_address", "ehlo_hostname")
async def test_each_binding_sends_from_its_address_by_its_name(tmp_path: Path) -> None:
    await preload(
        tmp_path / "state",
        [
            ("g", "one", "b@a.test"),
            ("g", "two", "c@a.test"),
            ("default", "default", "d@a.test"),
            ("g", "gone", "e@a.test"),
            ("lost", "lost", "f@a.test"),
        ],
    )
    async with Outlook(tmp_path, BINDINGS, EVERYWHERE) as world:
        await world.came("*@a.test", 5)
        found = {each.recipients[0]: (each.peer, each.helo) for each in world.sink.accepted}
        assert found == {
            "b@a.test": ("127.0.2.11", "one.node.test"),
            "c@a.test": ("127.0.2.12", "two.node.test"),
            "d@a.test": ("127.0.2.1", "mx.node.test"),
            # What names a binding that is not there goes by the default one.
            "e@a.test": ("127.0.2.1", "mx.node.test"),
            "f@a.test": ("127.0.2.1", "mx.node.test"),
        }
        delivered = await world.records("mainlog", "D", count=5)
        assert sorted((row[7], row[8]) for row in delivered) == [
            *[("default", "default")] * 3,
            ("g", "one"),
            ("g", "two"),
        ]


async def test_what_holds_for_a_binding_leaves_the_others_alone(tmp_path: Path) -> None:
    await preload(tmp_path / "state", [("g", "one", "b@a.test"), ("g", "two", "c@a.test")])
    held = BINDINGS.replace("two.node.test", 'two.node.test"  suspend_delivery = "true')
    async with Outlook(tmp_path, held, EVERYWHERE) as world:
        await world.came("b@a.test")
        assert world.got("c@a.test") == []
        await world.reload(BINDINGS)
        [letter] = await world.came("c@a.test")
        assert letter.peer == "127.0.2.12"


async def test_mail_of_a_binding_which_a_reload_takes_away_goes_by_the_default(
    tmp_path: Path,
) -> None:
    await preload(tmp_path / "state", [("g", "two", f"b{n}@a.test") for n in range(20)])
    held = BINDINGS.replace("two.node.test", 'two.node.test"  suspend_delivery = "true')
    gone = "\n".join(line for line in BINDINGS.splitlines() if '"two"' not in line)
    async with Outlook(tmp_path, held, EVERYWHERE) as world:
        await world.mail("x@a.test")
        await world.came("x@a.test")
        await world.reload(gone)
        letters = await world.came("b*@a.test", 20)
        assert {each.peer for each in letters} == {"127.0.2.1"}
        delivered = await world.records("mainlog", "D", count=21)
        assert {row[8] for row in delivered} == {"default"}
        await world.again()
        assert len(world.got("b*@a.test")) == 20


async def test_mail_of_a_binding_which_a_console_unsets_goes_by_the_default_too(
    tmp_path: Path,
) -> None:
    await preload(tmp_path / "state", [("g", "two", f"b{n}@a.test") for n in range(20)])
    held = BINDINGS.replace("two.node.test", 'two.node.test"  suspend_delivery = "true')
    async with (
        Outlook(tmp_path, held, EVERYWHERE) as world,
        operator(world.state) as admin,
        world.call() as injector,
    ):
        said = await admin.say("config unset binding_group g binding two")
        assert said == '"binding_group g binding two" has been unset.'
        letters = await world.came("b*@a.test", 20)
        assert {each.peer for each in letters} == {"127.0.2.1"}
        assert (await injector.say("RSET")).startswith("250")


@pytest.mark.effect("bind_address_secondary")
async def test_a_binding_with_an_address_of_each_family_sends_by_both(tmp_path: Path) -> None:
    await preload(
        tmp_path / "state",
        [("g", "both", "b@six.test"), ("g", "both", "b@four.test"), ("g", "one", "c@six.test")],
    )
    config = """
        use_ipv6 = true
        generate_bounces = false
        binding_group "g" {
          binding "both" { bind_address = "127.0.2.11"  bind_address_secondary = "::1" }
          binding "one" { bind_address = "127.0.2.12" }
        }
    """
    zone = "six.test AAAA ::1\nfour.test A 127.0.0.1"
    async with Outlook(tmp_path, config, zone) as world:
        six = await second(world, "::1")
        try:
            await world.came("b@four.test")
            await world.records("mainlog", "T", "six.test")
            assert "b@six.test" not in [row[5] for row in world.rows("mainlog", "P")]
            await world.until(lambda: six.accepted, "mail by IPv6")
            assert [each.peer for each in six.accepted] == ["::1"]
            assert [each.recipients for each in six.accepted] == [["b@six.test"]]
            assert world.sink.accepted[0].peer == "127.0.2.11"
        finally:
            await six.stop()
