"""auth_radius: what servers say, in their order, and what nobody has said."""

from pathlib import Path
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.inbound.authenticators import Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.auth.auth_radius import AuthRadius
from angarium.net.answer import Answer, Status
from angarium.wire.sasl.exchange import Claim
from helpers.addresses import free_port
from helpers.guards import Place
from helpers.radius import FakeRadius, freeradius

SECRET = "shared secret"


class Names:
    """Knows radius.test."""

    async def address(self, name: str, _families: object) -> Answer[str]:
        known = {"127.0.0.1": "127.0.0.1", "radius.test": "127.0.0.1"}
        records = (known[name],) if name in known else ()
        return Answer(Status.NOERROR if records else Status.NXDOMAIN, records)


def server(name: str, port: int, more: str = "", host: str = "127.0.0.1") -> str:
    return f'server "{name}" {{ host = "{host}:{port}" secret = "{SECRET}" {more} }}\n'


class Stage:
    """The module, and what it told."""

    def __init__(self, folder: Path, *inside: str) -> None:
        self.place = Place(folder, f"auth_radius {{ {' '.join(inside)} }}")
        self.place.resolver = Names()
        self.who = self.place.module(AuthRadius).schemes["radius"]

    async def known(self, user: str = "tim", password: str = "secret") -> Any:
        visit = Visit(host="192.0.2.9")
        found: Any = self.who.check(Claim("PLAIN", user, "clear", password), visit)
        return await found

    @property
    def told(self) -> list[str]:
        return [text for _, text in self.place.panics]


@pytest.mark.effect(
    "auth_radius.server.host", "auth_radius.server.secret", "auth_radius.nas-identifier",
    "auth_radius.nas-ip-address",
)  # fmt: skip
async def test_a_server_says_yes_or_no(tmp_path: Path) -> None:
    async with FakeRadius(SECRET.encode()) as fake:
        fake.answers = [2, 3]
        here = Stage(
            tmp_path, "nas-identifier = 7", 'nas-ip-address = "192.0.2.1"', server("a", fake.port)
        )
        assert await here.known() == "tim"
        assert await here.known() is None
        [asked, _] = fake.asked
        assert b"\x01\x05tim" in asked
        assert b"\x20\x037" in asked
        assert b"\x04\x06" + bytes((192, 0, 2, 1)) in asked
        assert b"\x1f\x0b192.0.2.9" in asked
        assert b"secret" not in asked


async def test_another_secret_is_nobody_who_can_be_believed(tmp_path: Path) -> None:
    async with FakeRadius(b"other") as fake:
        here = Stage(tmp_path, server("a", fake.port, "max_tries = 1 timeout = 0.2"))
        with pytest.raises(TroubleError):
            await here.known()
        assert "another secret" in here.told[-1]


@pytest.mark.effect("auth_radius.server.max_tries", "auth_radius.server.timeout")
async def test_who_does_not_answer_is_asked_again_and_then_the_next_one(tmp_path: Path) -> None:
    async with FakeRadius(SECRET.encode()) as first, FakeRadius(SECRET.encode()) as second:
        first.answers, second.answers = [None], [None, 2]
        quick = "max_tries = 2 timeout = 0.05"
        patient = "max_tries = 2 timeout = 0.3"
        here = Stage(tmp_path, server("a", first.port, quick), server("b", second.port, patient))
        assert await here.known() == "tim"
        assert len(first.asked) == len(second.asked) == 2
        assert first.asked[0] == first.asked[1]
        assert here.told == ["server a has not answered"]


@pytest.mark.effect("auth_radius.require_message_authenticator")
async def test_an_answer_which_may_be_forged_is_believed_only_where_that_is_said(
    tmp_path: Path,
) -> None:
    async with FakeRadius(SECRET.encode()) as fake:
        fake.sealed = False
        stanza = server("a", fake.port, "max_tries = 1 timeout = 0.2")
        here = Stage(tmp_path, "require_message_authenticator = yes", stanza)
        with pytest.raises(TroubleError):
            await here.known()
        assert "require_message_authenticator" in here.told[-1]
        assert await Stage(tmp_path, "require_message_authenticator = no", stanza).known()


async def test_of_a_server_which_has_sealed_an_answer_others_are_not_believed(
    tmp_path: Path,
) -> None:
    async with FakeRadius(SECRET.encode()) as fake:
        here = Stage(tmp_path, server("a", fake.port, "max_tries = 1 timeout = 0.2"))
        for fake.sealed in (False, True):
            assert await here.known() == "tim"
        fake.sealed = False
        with pytest.raises(TroubleError):
            await here.known()


@pytest.mark.effect("auth_radius.map")
async def test_names_are_changed_before_they_are_sent(tmp_path: Path) -> None:
    text = 'map = [ username = "%{username_localpart}@%{username_domain||a.example}" ]'
    async with FakeRadius(SECRET.encode()) as fake:
        here = Stage(tmp_path, text, server("a", fake.port, host="radius.test"))
        assert await here.known("tim") == "tim"
        assert await here.known("tim@b.example") == "tim@b.example"
        assert b"\x01\x0ftim@a.example" in fake.asked[0]
        assert b"\x01\x0ftim@b.example" in fake.asked[1]


@pytest.mark.effect("auth_radius.debug_level")
async def test_a_server_which_asks_for_more_is_told_of(tmp_path: Path) -> None:
    async with FakeRadius(SECRET.encode()) as fake:
        fake.answers = [11]
        here = Stage(tmp_path, "debug_level = WARNING", server("a", fake.port))
        assert await here.known() is None
        assert here.told == ["server a asks for more than a password, which SMTP does not know"]
        quiet = Stage(tmp_path, server("a", fake.port))
        assert await quiet.known() is None
        assert quiet.told == []


async def test_where_nobody_listens_nobody_is_known(tmp_path: Path) -> None:
    port = free_port()
    here = Stage(tmp_path, server("a", port, "max_tries = 1 timeout = 0.2"))
    with pytest.raises(TroubleError):
        await here.known()
    here = Stage(tmp_path, server("a", port, host="nobody.test"))
    with pytest.raises(TroubleError):
        await here.known()
    assert here.told == ["server a: nobody.test has no address"]


async def test_a_password_which_radius_cannot_have_is_nobodys(tmp_path: Path) -> None:
    async with FakeRadius(SECRET.encode()) as fake:
        here = Stage(tmp_path, server("a", fake.port))
        assert await here.known("tim", "p" * 129) is None
        assert fake.asked == []


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("", "1 to 10 servers"),
        ('server "a" { host = "x" }', "needs host and secret"),
        ('server "a" { host = "x" secret = "y" } map = [ username = "%{nonce}" ]', "not known"),
        (" ".join(f'server "{n}" {{ host = "x" secret = "y" }}' for n in range(11)), "1 to 10"),
    ],
)
async def test_what_cannot_be_refuses_the_configuration(
    tmp_path: Path, inside: str, what: str
) -> None:
    with pytest.raises(Error, match=what):
        Stage(tmp_path, inside)


@pytest.mark.effect("auth_radius.enabled")
async def test_off_it_knows_nobody(tmp_path: Path) -> None:
    assert "radius" in Stage(tmp_path, server("a", 1)).place.policing.schemes
    here = Stage(tmp_path, "enabled = false", server("a", 1))
    assert here.place.policing.schemes == {}


async def test_a_real_server_knows_its_users(tmp_path: Path) -> None:
    with freeradius({"tim": "tanstaaf", "löwe@a.example": "pässwörd of more than sixteen"},
                    "testing123") as port:  # fmt: skip
        stanza = f'server "real" {{ host = "127.0.0.1:{port}" secret = "testing123" }}'
        here = Stage(tmp_path, stanza)
        assert await here.known("tim", "tanstaaf") == "tim"
        assert await here.known("tim", "wrong") is None
        assert await here.known("nobody", "tanstaaf") is None
        assert await here.known("löwe@a.example", "pässwörd of more than sixteen")
