"""The sockets of consoles: open for whoever may come, kept by who takes our place."""

import asyncio
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.run.consoles import Consoles
from angarium.run.plan import endpoints
from angarium.run.sockets import Sockets
from angarium.wire.control import Greeting
from helpers.clock import FakeClock
from helpers.consoles import FakeServer
from helpers.operators import Operator, connected
from helpers.world import reserved_port


class Log(list[str]):
    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def error(self, event: str, **fields: Any) -> None:
        self.append(event)
        self.reasons.append(str(fields.get("reason")))


def consoles(folder: Path, log: Log) -> Consoles:
    server = FakeServer(folder, "")
    return Consoles(server, server.node, Sockets(), FakeClock(), log)


async def test_the_socket_goes_to_who_takes_our_place(tmp_path: Path) -> None:
    first = consoles(tmp_path, Log())
    await first.open(tmp_path, None)
    assert first.descriptor is not None
    kept = os.dup(first.descriptor)
    first.close()
    second = consoles(tmp_path, Log())
    await second.open(tmp_path, kept)
    async with connected(tmp_path) as caller:
        assert isinstance(await caller.next(), Greeting)
    second.close()
    await asyncio.sleep(0)


@pytest.fixture
def certificate(tmp_path: Path) -> None:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", tmp_path / "key", "-out", tmp_path / "pem"],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.usefixtures("certificate")
@pytest.mark.effect("tls_certificate", "tls_key")
async def test_a_listener_speaks_tls_where_its_stanza_has_a_certificate(tmp_path: Path) -> None:
    keeper = reserved_port()
    port = keeper.getsockname()[1]
    sockets, log = Sockets(), Log()
    files = f'tls_certificate = "{tmp_path}/pem" tls_key = "{tmp_path}/key"'
    text = f"""
    control_listener {{
      authdigestmd5parameters = [ uri = "digest:///none" ]
      listen "127.0.0.1:{port}" {{ {files} }}
      listen "127.0.0.2:{port}" {{ tls_certificate = "/none" }}
      listen "127.0.0.3:{port}" {{ }}
    }}
    """
    conf = load_text(text)
    sockets.change(endpoints(conf)).commit()
    server = FakeServer(tmp_path, text)
    made = Consoles(server, server.node, sockets, FakeClock(), log)
    await made.open(tmp_path, None)
    greeted = {}
    for where, each in sockets.open.items():
        reader, writer = await asyncio.open_connection(*each.getsockname())
        greeting = await Operator(reader, writer).next()
        assert isinstance(greeting, Greeting)
        greeted[where.host] = greeting.tls
        writer.close()
    # Where the certificate cannot be read nobody is spoken to in clear instead.
    assert greeted == {"127.0.0.1": True, "127.0.0.2": True, "127.0.0.3": False}
    assert log == ["no TLS for consoles"]
    made.use(load_text(""))
    assert not made._open
    made.close()
    sockets.close()
    keeper.close()
    await asyncio.sleep(0)


async def test_without_a_socket_mail_goes_on(tmp_path: Path) -> None:
    log = Log()
    made = consoles(tmp_path, log)
    await made.open(tmp_path / "nowhere", None)
    assert log == ["no console can connect"]
    assert made.descriptor is None
    made.close()


async def test_new_certificates_are_read_by_workers_and_what_is_not_shown_is_told(
    tmp_path: Path,
) -> None:
    log = Log()
    server = FakeServer(tmp_path, "")
    asked: list[int] = []

    def renew() -> tuple[int, list[str]]:
        asked.append(1)
        return 1, ["tls_key: the key is another"]

    profiles = SimpleNamespace(contexts=SimpleNamespace(renew=renew), forget=lambda: None)
    server.node.parts["worker 0"] = SimpleNamespace(
        services=SimpleNamespace(profiles=profiles),
        pool=SimpleNamespace(dialer=SimpleNamespace(securing=None)),
    )
    contexts = SimpleNamespace(renew=lambda: (1, []))
    server.node.parts["web"] = SimpleNamespace(tls=SimpleNamespace(contexts=contexts))
    server.node.stuck = ("worker 1",)
    made = Consoles(server, server.node, Sockets(), FakeClock(), log)
    made.renewed()
    await asyncio.gather(*made._starting)
    assert asked == [1]
    assert set(log) == {"a new certificate is not shown"}
    assert log.reasons == [
        "tls_key: the key is another", "worker 1 does not answer", "worker 1 does not answer"
    ]  # fmt: skip
    made.close()
