"""What is around a script: names, databases, what the node shares, bindings, mail of its own."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.core.body import MemoryBody
from angarium.core.ident import Idents
from angarium.core.message import Message as Content
from angarium.core.message import Recipient, Trait
from angarium.journal.errors import SpoolError
from angarium.modules.python.server import Server
from angarium.net.dnscache import Resolver
from angarium.policy.context import Steps
from angarium.policy.mail import Mail
from angarium.policy.script import Message
from angarium.policy.shared.node import Shared
from angarium.run.stage.answers import Databases, Names
from helpers.clock import FakeClock

BINDINGS = 'binding "b1" { } binding_group "g" { binding "b2" { } }'


class FakeAdmit:
    def __init__(self) -> None:
        self.refusal: SpoolError | None = None
        self.taken: list[tuple[Content, list[Recipient]]] = []

    def inject(self, message: Content, to: list[Recipient], done: Callable[..., None]) -> None:
        self.taken.append((message, to))
        done(self.refusal)


class Around:
    """A server of a script, and what stands behind it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.names, self.databases, self.admit = Names(), Databases(), FakeAdmit()
        self.panics: list[str] = []
        loop: Any = asyncio.get_running_loop()
        means: Any = SimpleNamespace(
            configuration=load_text(BINDINGS),
            loop=loop,
            clock=self.clock,
            host="mx.test",
            panic=lambda module, line: self.panics.append(f"{module}: {line}"),
            resolver=Resolver(self.names, loop, self.clock),
            datasources=self.databases,
            shared=Shared(self.clock, 0),
            admit=self.admit,
            next_id=Idents(1).next,
        )
        self.server = Server("s", means, {"n": "1"})


def message(step: Steps) -> Message:
    recipient = Recipient("b@y.test", "y.test")
    mail = Mail(Content("a@x.test", MemoryBody(b"x")), [recipient], None, recipient)
    mail.step = step
    return Message(mail)


async def test_names_are_texts_and_what_cannot_be_found_out_is_an_error() -> None:
    around = Around()
    for line in ("a.test MX 10 mx.a.test", "a.test TXT v=spf1", "bad.test TIMEOUT"):
        around.names.add(line.split())
    around.names.add("1.2.0.192.in-addr.arpa PTR a.test".split())
    around.names.add("s.test SOA ns.test root.test 1 2 3 4 5".split())
    lookup = around.server.lookup
    assert await lookup("a.test", "mx") == ["mx.a.test"]
    assert await lookup("a.test", "TXT") == ["v=spf1"]
    assert await lookup("192.0.2.1", "PTR") == ["a.test"]
    assert (await lookup("s.test", "SOA"))[0].startswith("ns.test root.test 1 ")
    assert await lookup("none.test") == []
    with pytest.raises(LookupError, match="no name server answered"):
        await lookup("bad.test")
    with pytest.raises(ValueError, match="no records of type X"):
        await lookup("a.test", "X")


async def test_databases_take_values_by_place_or_by_name() -> None:
    around = Around()
    around.databases.add('users "SELECT 1 WHERE a = ?" ["x"] -> [{"n": 1}]')
    around.databases.add('users "SELECT 1 WHERE a = :a" {"a": "x"} -> [{"n": 2}]')
    query = around.server.query
    assert [dict(each) for each in await query("users", "SELECT 1 WHERE a = ?", "x")] == [{"n": 1}]
    rows = await query("users", "SELECT 1 WHERE a = :a", a="x")
    assert rows[0]["n"] == 2
    with pytest.raises(ValueError, match="not for both"):
        await query("users", "x", 1, a=2)


async def test_what_is_counted_slides_and_what_is_remembered_ends() -> None:
    around = Around()
    server = around.server
    assert server.counter("n", 2) == 2
    assert server.counter("n") == 2
    assert [server.series("r", "k", seconds=60) for _ in range(3)] == [1, 2, 3]
    assert server.series("r", "other", 0, seconds=60) == 0
    server.remember("list", "k", "v", 100)
    assert server.recall("list", "k") == "v"
    assert server.recall("other", "k") is None
    around.clock.advance(101)
    assert server.recall("list", "k") is None
    assert server.series("r", "k", 0, seconds=60) == 0
    with pytest.raises(ValueError, match="too large"):
        server.remember("list", "k", "v" * 100_000, 1)


async def test_a_binding_is_chosen_by_name_or_by_group_and_only_in_its_hook() -> None:
    server = Around().server
    assert server.bindings("g") == ["b2"]
    assert {"b1", "b2"} <= set(server.bindings())
    one = message(Steps.BINDING)
    assert server.bind(one, "b2")
    assert (one.binding_group, one.binding) == ("g", "b2")
    assert server.bind(one, group="g")
    assert (one.binding_group, one.binding) == ("g", "")
    assert not server.bind(one, "none")
    assert not server.bind(one)
    with pytest.raises(RuntimeError, match=r"in on\.binding"):
        server.bind(message(Steps.EACH), "b1")


async def test_mail_of_its_own_is_on_the_disk_when_it_is_sent() -> None:
    around = Around()
    content = "Subject: x\r\n\r\nä\r\n".encode()
    ident = await around.server.send("a@x.test", ["b@Y.test"], content)
    ((made, (to,)),) = around.admit.taken
    assert ident
    assert (made.sender, made.protocol, made.traits) == ("a@x.test", "internal", Trait.EIGHT_BIT)
    assert (to.address, to.domain) == ("b@Y.test", "y.test")
    around.admit.refusal = SpoolError("the disk failed")
    with pytest.raises(RuntimeError, match="the disk failed"):
        await around.server.send("", ["b@y.test"], content)


async def test_it_says_who_we_are_and_writes_to_paniclog() -> None:
    around = Around()
    around.server.log("hello")
    assert around.panics == ["python: s: hello"]
    assert (around.server.name, around.server.settings) == ("mx.test", {"n": "1"})
    assert around.server.now() == around.clock.time()
    await around.server.sleep(0)
