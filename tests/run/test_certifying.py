"""Certificates by ACME: when they are asked for, what is written, who is told."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
from uvicorn.server import ServerState

from angarium.config.load import load_text
from angarium.events.metrics import Metrics
from angarium.lab.sink import stop_listening
from angarium.net.acme import certificates, schedule
from angarium.net.acme.folder import Folder
from angarium.run.certifying import FAILED, ISSUED, LEFT, LOOK_SECONDS, Certifier, Means
from angarium.web.challenges import Challenges, is_challenge
from angarium.web.guard import Manners, connections
from angarium.wire.acme.errors import AcmeError
from helpers.acme import AcmeServer, text
from helpers.certificates import authority
from helpers.clock import FakeClock

DAY = schedule.DAY


class Desk:
    """A certifier, an authority, and the listener it looks at."""

    def __init__(self, folder: Path, ca: AcmeServer) -> None:
        self.folder = folder
        self.ca = ca
        # Certificates have real dates.
        self.clock = FakeClock(datetime.datetime.now(datetime.UTC).timestamp())
        self.metrics = Metrics()
        self.told: list[str] = []
        self.said: list[str] = []
        self.renewed = 0
        self.tasks: list[asyncio.Task[None]] = []
        (folder / "root.pem").write_bytes(authority().pem)
        (folder / "tls").mkdir()
        self.path = folder / "tls" / "mx.pem"
        self.certifier = self.anew()

    def anew(self) -> Certifier:
        """Return one as after a restart."""
        means = Means(self.told.append, self.said.append, self._shown, self._spawn, lambda: 0.0)
        return Certifier(self.folder / "state", self.clock, self.metrics, means)

    def _shown(self) -> None:
        self.renewed += 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def use(self, more: str = "", names: str = "mx.b.test") -> None:
        self.certifier.use(
            load_text(
                f"""
                acme "mx" {{
                  directory = "{self.ca.directory}"
                  terms_agreed = true
                  names = ( {names} )
                  certificate = "{self.path}"
                  ca_file = "{self.folder}/root.pem"
                  {more}
                }}
                """
            )
        )

    async def passes(self, seconds: float = 0.0) -> None:
        """Let time pass, and what is begun then come to its end."""
        self.clock.advance(seconds)
        self.certifier.second()
        for each in self.tasks:
            await each
        self.tasks.clear()

    @property
    def held(self) -> certificates.Held:
        found = certificates.on_disk(self.path)
        assert found is not None
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    shown = Challenges(None, Folder(tmp_path / "state").shown)
    made = connections(shown, (), ServerState(), lambda _: Manners(), anyhow=is_challenge)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with AcmeServer(port).serving() as ca:
            yield Desk(tmp_path, ca)
    finally:
        await stop_listening(server)


async def test_a_certificate_which_is_missing_is_fetched_once(desk: Desk) -> None:
    desk.use(names="mx.b.test mail.b.test")
    await desk.passes()
    assert desk.held.names == {"mx.b.test", "mail.b.test"}
    assert (desk.renewed, desk.told) == (1, [])
    assert [each.partition(":")[0] for each in desk.said] == [
        f"a certificate for {desk.path} is asked for",
        f"there is a new certificate in {desk.path}, until {certificates.day(desk.held.ends)}",
    ]
    await desk.passes(LOOK_SECONDS)
    await desk.passes(DAY)
    desk.certifier = desk.anew()
    desk.use(names="mx.b.test mail.b.test")
    await desk.passes(DAY)
    assert len(desk.ca.orders) == 1
    snapshot = desk.metrics.snapshot()
    assert (snapshot[ISSUED.name], snapshot.get(FAILED.name)) == (1, None)
    assert snapshot[LEFT.name] == pytest.approx(88 * DAY, abs=3600)


@pytest.mark.effect("acme.renew_before")
async def test_it_is_renewed_so_long_before_its_end(desk: Desk) -> None:
    desk.use('renew_before = "10 days"')
    await desk.passes()
    await desk.passes(79 * DAY)
    assert len(desk.ca.issued) == 1
    await desk.passes(1.1 * DAY)
    assert len(desk.ca.issued) == 2
    desk.certifier = desk.anew()
    desk.use('renew_before = "5 days"')
    await desk.passes(2 * DAY)
    assert len(desk.ca.issued) == 2


async def test_between_two_looks_nothing_is_read(desk: Desk) -> None:
    desk.use()
    await desk.passes()
    desk.path.unlink()
    await desk.passes(LOOK_SECONDS - 1)
    assert not desk.path.exists()
    await desk.passes(1)
    assert desk.path.exists()


@pytest.mark.effect("acme.key", "acme.key_type")
async def test_a_key_is_of_the_kind_and_in_the_file_that_is_wanted(desk: Desk) -> None:
    desk.use()
    await desk.passes()
    key = certificates.key_in(desk.path.read_bytes())
    assert key is not None
    assert certificates.kind_of(key) == "ecdsa"
    desk.path.unlink()
    beside = desk.path.with_suffix(".key")
    desk.use(f'key = "{beside}"\nkey_type = "rsa"')
    await desk.passes()
    assert b"PRIVATE" not in desk.path.read_bytes()
    key = certificates.key_in(beside.read_bytes())
    assert key is not None
    assert certificates.kind_of(key) == "rsa"
    assert certificates.public(key) == desk.held.public


@pytest.mark.effect("acme.reuse_key")
async def test_a_key_is_kept_where_that_is_wanted(desk: Desk) -> None:
    desk.use()
    await desk.passes()
    first = desk.held.public
    await renewed(desk)
    second = desk.held.public
    assert first != second
    desk.use("reuse_key = true")
    await renewed(desk)
    assert desk.held.public == second
    desk.use('reuse_key = true\nkey_type = "rsa"')
    await renewed(desk)
    assert desk.held.public != second


async def renewed(desk: Desk, name: str = "") -> list[Any]:
    """Let an operator ask for a new one."""
    asking = asyncio.ensure_future(desk.certifier.renew(name))
    await asyncio.sleep(0)
    await desk.passes()
    return await asyncio.wait_for(asking, 90)


async def test_an_operator_gets_one_at_once(desk: Desk) -> None:
    desk.use()
    await desk.passes()
    [outcome] = await renewed(desk, "mx")
    assert (outcome.path, outcome.reason) == (str(desk.path), "")
    assert len(desk.ca.issued) == 2
    [outcome] = await renewed(desk, str(desk.path))
    assert len(desk.ca.issued) == 3
    assert await desk.certifier.renew("other") == []
    desk.ca.refuses = "rateLimited"
    [outcome] = await renewed(desk)
    assert "too many orders" in outcome.reason
    asking = asyncio.ensure_future(desk.certifier.renew(""))
    await asyncio.sleep(0)
    desk.certifier.use(load_text(""))
    assert (await asking)[0].reason == "no stanza has it any more"


@pytest.mark.effect("acme.contact")
async def test_the_authority_knows_whom_to_write_to(desk: Desk) -> None:
    desk.use("contact = ( a@b.test )")
    await desk.passes()
    [known] = desk.ca.accounts.values()
    assert known.contact == ["mailto:a@b.test"]
    desk.use('contact = ( a@b.test "mailto:c@b.test" )')
    await renewed(desk)
    assert known.contact == ["mailto:a@b.test", "mailto:c@b.test"]


@pytest.mark.effect("acme.external_key_id", "acme.external_key")
async def test_an_account_of_before_is_what_the_authority_asks_for(desk: Desk) -> None:
    desk.ca.external = {"kid": b"0123456789abcdef"}
    desk.use()
    await desk.passes()
    assert "asks for an external account" in desk.told[0]
    wrong, right = text(b"another key of theirs"), text(b"0123456789abcdef")
    desk.use(f'external_key_id = "kid"\nexternal_key = "{wrong}"')
    [outcome] = await renewed(desk)
    assert "not the key of that account" in outcome.reason
    desk.use(f'external_key_id = "kid"\nexternal_key = "{right}="')
    [outcome] = await renewed(desk)
    assert outcome.reason == ""


async def test_a_failure_is_told_is_not_repeated_at_once_and_its_end_is_told(desk: Desk) -> None:
    desk.ca.http_port = 1
    desk.use()
    await desk.passes()
    assert desk.told[0].startswith(f"no new certificate for {desk.path}: mx.b.test is not proved")
    assert desk.told[0].endswith("again in 5 minutes")
    desk.certifier = desk.anew()
    desk.use()
    await desk.passes(4 * 60)
    assert len(desk.ca.orders) == 1
    await desk.passes(2 * 60)
    assert len(desk.ca.orders) == 2
    assert desk.told[1].endswith("again in 10 minutes")
    [known] = await desk.certifier.status()
    assert (known.failures, known.ends, known.due) == (2, 0.0, "there is none")
    assert "is not proved" in known.reason
    assert known.next == pytest.approx(desk.clock.time() + 600, abs=2)
    await desk.passes(11 * 60)
    assert len(desk.ca.orders) == 3
    assert desk.renewed == 0
    assert desk.metrics.snapshot()[FAILED.name] == 3


async def test_the_end_of_a_failure_is_told_to_who_was_told_of_it(desk: Desk) -> None:
    desk.ca.refuses = "rateLimited"
    desk.use()
    await desk.passes()
    assert desk.told[0].endswith("again in 120 minutes")  # as the authority wants it
    desk.ca.refuses = ""
    await desk.passes(7300)
    assert desk.told[1].startswith(f"there is a new certificate in {desk.path}")
    [known] = await desk.certifier.status()
    assert (known.failures, known.reason, known.due) == (0, "", "")
    assert known.issuer == "CN=Test Authority"


async def test_another_wish_is_not_kept_waiting(desk: Desk) -> None:
    desk.ca.refuses = "rateLimited"
    desk.use()
    await desk.passes()
    desk.ca.refuses = ""
    desk.use(names="other.b.test")
    await desk.passes()
    assert desk.held.names == {"other.b.test"}


async def test_one_which_ends_and_is_not_renewed_is_told_once_a_day(desk: Desk) -> None:
    desk.use()
    await desk.passes()
    desk.ca.refuses = "rateLimited"
    await desk.passes(61 * DAY)
    assert len(desk.told) == 1
    # As long as the next order has to wait, only its end is told.
    records = Folder(desk.folder / "state")
    noted = records.records()[str(desk.path)]
    far = schedule.failed(
        noted, noted.wish, AcmeError("no", wait=90 * DAY), desk.clock.time(), float
    )
    records.keep({str(desk.path): far})
    await desk.passes(20 * DAY)
    await desk.passes(DAY / 2)
    await desk.passes(DAY)
    await desk.passes(10 * DAY)
    ends = desk.told[1:]
    assert len(ends) == 3
    day = certificates.day(desk.held.ends)
    assert set(ends) == {f"the certificate in {desk.path} ends on {day}, and there is no new one"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('key = "{folder}/nowhere/a.key"', "there is no directory"),
        ('ca_file = "{folder}/tls"', "cannot be read"),
        ('ca_file = "{folder}/empty"', "no certificate in PEM"),
    ],
)
async def test_what_is_wrong_here_is_known_before_the_authority_is_asked(
    desk: Desk, more: str, why: str
) -> None:
    (desk.folder / "empty").touch()
    desk.use(more.format(folder=desk.folder))
    await desk.passes()
    assert why in desk.told[0]
    assert desk.ca.requests == []


async def test_two_processes_never_order_at_once(desk: Desk) -> None:
    desk.use()
    with Folder(desk.folder / "state").alone():
        await desk.passes()
        assert desk.ca.orders == []
        [outcome] = await renewed(desk)
        assert outcome.reason == "another process orders at present"
    await desk.passes(LOOK_SECONDS)
    assert len(desk.ca.orders) == 1


async def test_an_order_is_given_up_at_the_end(desk: Desk) -> None:
    desk.use()
    desk.certifier.second()
    await asyncio.sleep(0)
    desk.certifier.close()
    [task] = desk.tasks
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert not desk.path.exists()
