"""msys.beta.rcptto_proxy: a script asks another host about a recipient."""

from types import SimpleNamespace

import pytest

from angarium.core.reply import Reply
from angarium.modules.lua.api import rcptto
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.services import Services
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.outbound.probe import SHUT, SILENT, Question
from helpers.dns import FakeDns
from helpers.lua import services
from helpers.snippets import running, state

ZONE = "mx.example A 192.0.2.1\nmx.example A 192.0.2.2\n"
ASK = 'return msys.beta.rcptto_proxy.query({ rcptto = "b@y.test", %s })'


class Hosts:
    """What hosts say, by address; what they were asked."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[Question, str, int]] = []
        patch.setattr(rcptto, "probe", self.probe)

    async def probe(self, question: Question, host: str, port: int) -> Reply:
        self.asked.append((question, host, port))
        return self.replies.get(host, SILENT)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(monkeypatch)


def worker() -> Services:
    made = services()
    made.parts[Resolver] = FakeDns(ZONE)
    made.parts[Means] = SimpleNamespace(host="mx.node.test")
    return made


async def ask(options: str) -> object:
    return await running(ASK % options, state(worker()))


async def test_a_host_that_would_take_the_recipient_is_true(hosts: Hosts) -> None:
    hosts.replies = {"192.0.2.1": Reply(250, "ok"), "192.0.2.2": Reply(250, "ok")}
    assert await ask('host = "mx.example", mailfrom = "a@x.test", port = 2525') is True
    [(question, _, port)] = hosts.asked
    assert question == Question("mx.node.test", "a@x.test", "b@y.test", 30.0)
    assert port == 2525


async def test_a_no_is_fail_and_says_which(hosts: Hosts) -> None:
    hosts.replies = {"192.0.2.9": Reply(550, "who?", "5.1.1")}
    found = await ask('host = "192.0.2.9", timeout = 7')
    assert found == [False, b"fail", b"550 5.1.1 who?"]
    assert hosts.asked[0][0].within == 7.0
    assert hosts.asked[0][2] == 25


async def test_an_address_that_is_silent_leaves_it_to_the_next(hosts: Hosts) -> None:
    for silent, other in (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")):
        hosts.replies = {silent: SILENT, other: Reply(250, "ok")}
        assert await ask('host = "mx.example"') is True


async def test_what_went_wrong_is_the_reason_where_no_host_said_no(hosts: Hosts) -> None:
    assert await ask('host = "mx.example"') == [False, SILENT.text.encode()]
    hosts.replies = {"192.0.2.9": SHUT}
    assert await ask('host = "192.0.2.9"') == [False, SHUT.text.encode()]
    assert await ask('host = "none.example"') == [False, b"none.example has no address: NXDOMAIN"]


@pytest.mark.parametrize("options", ["", 'host = "h", port = 0', 'host = "h", timeout = -1'])
async def test_a_question_without_sense_is_an_error(options: str) -> None:
    with pytest.raises(ScriptError, match=r"rcptto_proxy\.query"):
        await ask(options)
