"""auth_ds: what a query says of a user, by each way in which passwords are kept."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.inbound.authenticators import Authenticator, Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.auth.auth_ds import AuthDs
from angarium.net.loop import RealClock
from angarium.wire.sasl import cram, digest
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted
from angarium.wire.sasl.secrets import ScramSecret
from helpers.databases import slapd
from helpers.guards import Place, session

PASSWORD = "tanstaaf"


def database(folder: Path) -> Path:
    """Make users: tim in clear, ann by a hash of a kind which stands beside it."""
    file = folder / "users.db"
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE users (name TEXT, password TEXT, kind TEXT, domain TEXT)")
        made.execute("CREATE TABLE groups (name TEXT, title TEXT)")
        hashed = "{SSHA}4yrzhjpfqbd62OqR12sgy3tAyghzYWx0"
        rows = [
            ("tim", PASSWORD, "C", "a.example"),
            ("ann", hashed, "R", "a.example"),
            ("eve", PASSWORD, "?", "a.example"),
            ("dan", digest.stored("dan", "realm", PASSWORD), "D", ""),
            ("kim", str(ScramSecret.of(PASSWORD, b"salt")), "R", ""),
        ]
        made.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", rows)
        made.executemany("INSERT INTO groups VALUES (?, ?)", [("tim", "a"), ("tim", "b")])
    made.close()
    return file


def configuration(file: Path, inside: str, outside: str = "") -> str:
    return f"""
        datasource "users" {{ uri = ( "sqlite:{file}" ) }}
        auth_ds {{ {outside}
          scheme "People" {{
            authenticate {{ cache = "users" {inside} }}
            querygroups {{
              query = "SELECT title, name FROM groups WHERE name = :user"
              cache = "users"  group_column = "title"  map = [ user = "%{{username}}" ]
            }}
          }}
        }}
    """


@asynccontextmanager
async def scheme(
    folder: Path, inside: str, *, uri: str = "", outside: str = ""
) -> AsyncIterator[Authenticator]:
    file = database(folder)
    sources = Datasources(RealClock(), Random(1), Metrics())
    sources.configure([Settings(name="users", uris=(uri or f"sqlite:{file}",))])
    place = Place(folder, configuration(file, inside, outside))
    place.datasources = sources
    try:
        yield place.module(AuthDs).schemes["people"]
    finally:
        await sources.close()


async def known(
    who: Authenticator, user: str, password: str = PASSWORD, visit: Visit | None = None
) -> Any:
    found: Any = who.check(Claim("PLAIN", user, "clear", password), visit or Visit())
    return await found


YES = 'query = "SELECT 1 FROM users WHERE name = :u AND password = :p"'
MAP = 'map = [ u = "%{username}"  p = "%{password}" ]'
RETURNS = """
    query = "SELECT name, password, kind FROM users WHERE name = :u"
    map = [ u = "%{username_localpart}" ]  returns_password = true  password_column = "password"
"""
BY_COLUMN = RETURNS + 'type_column = "kind" type_map = [ C = clear R = rfc2307 D = digest-md5 ]'


@pytest.mark.effect(
    "auth_ds.scheme.authenticate.query",
    "auth_ds.scheme.authenticate.cache",
    "auth_ds.scheme.authenticate.map",
)
async def test_a_query_says_yes_or_nothing(tmp_path: Path) -> None:
    async with scheme(tmp_path, f"{YES} {MAP}") as who:
        assert await known(who, "tim") == "tim"
        assert await known(who, "tim", "wrong") is None
        assert await known(who, "bob") is None


@pytest.mark.parametrize("value", ["0", "''", "NULL", "'0'", "'f'"])
async def test_nothing_and_zero_are_no(tmp_path: Path, value: str) -> None:
    async with scheme(tmp_path, f'query = "SELECT {value}, 1 WHERE :u = :u" {MAP}') as who:
        assert await known(who, "tim") is None


@pytest.mark.effect(
    "auth_ds.scheme.authenticate.returns_password",
    "auth_ds.scheme.authenticate.password_column",
)
async def test_a_query_returns_the_password(tmp_path: Path) -> None:
    async with scheme(tmp_path, RETURNS) as who:
        assert await known(who, "tim@a.example") == "tim@a.example"
        assert await known(who, "tim", "wrong") is None
        assert await known(who, "bob") is None


@pytest.mark.effect("auth_ds.scheme.authenticate.type")
async def test_how_it_is_kept_may_be_said(tmp_path: Path) -> None:
    async with scheme(tmp_path, RETURNS + "type = rfc2307") as who:
        assert await known(who, "tim") is None
    async with scheme(tmp_path, RETURNS + "type = clear") as who:
        assert await known(who, "tim") == "tim"
        assert await known(who, "ann") is None


@pytest.mark.effect(
    "auth_ds.scheme.authenticate.type_column", "auth_ds.scheme.authenticate.type_map"
)
async def test_how_it_is_kept_may_stand_beside_it(tmp_path: Path) -> None:
    realm = Visit(realm="realm")
    async with scheme(tmp_path, BY_COLUMN) as who:
        for user in ("tim", "ann", "dan", "kim"):
            assert await known(who, user, visit=realm) == user
            assert await known(who, user, "wrong", realm) is None
        assert await known(who, "eve") is None


async def test_what_does_not_say_how_it_is_kept_shows_it(tmp_path: Path) -> None:
    async with scheme(tmp_path, RETURNS) as who:
        for user in ("tim", "ann", "kim"):
            assert await known(who, user) == user


async def test_whoever_has_the_password_answers_all_mechanisms(tmp_path: Path) -> None:
    async with scheme(tmp_path, RETURNS) as who:
        proof = cram.proof(PASSWORD, b"<1@x>")
        claim = Claim("CRAM-MD5", "tim", "hmac_md5", proof, "<1@x>",
                      lambda password: cram.proof(password, b"<1@x>") == proof)  # fmt: skip
        found: Any = who.check(claim, Visit())
        assert await found == "tim"
        found = who.digest(DigestWanted("tim", "realm"), Visit(cleartext=True))
        assert await found == digest.stored("tim", "realm", PASSWORD)
        found = who.digest(DigestWanted("dan", "realm"), Visit())
        assert await found == digest.stored("dan", "realm", PASSWORD)
        found = who.scram(ScramWanted("tim"), Visit(key=b"k"))
        assert (await found).knows(PASSWORD)
        found = who.scram(ScramWanted("kim"), Visit())
        assert (await found).salt == b"salt"
        found = who.scram(ScramWanted("bob"), Visit())
        assert await found is None


async def test_a_database_may_look_at_proofs_by_itself(tmp_path: Path) -> None:
    inside = """query = "SELECT :c || :n || :x" map = [ c = "%{crypt}" n = "%{nonce}" x = "" ]"""
    async with scheme(tmp_path, inside) as who:
        found: Any = who.check(Claim("CRAM-MD5", "tim", "hmac_md5", "00", "<1@x>"), Visit())
        assert await found == "tim"
        assert "CRAM-MD5" in who.mechanisms
        assert "SCRAM-SHA-256" not in who.mechanisms


@pytest.mark.effect(
    "auth_ds.scheme.querygroups.query",
    "auth_ds.scheme.querygroups.cache",
    "auth_ds.scheme.querygroups.map",
    "auth_ds.scheme.querygroups.group_column",
)
async def test_policy_is_told_the_groups_of_who_is_known(tmp_path: Path) -> None:
    who = session()
    async with scheme(tmp_path, RETURNS) as people:
        await known(people, "tim", "wrong", Visit(session=who))
        assert "auth_groups" not in who.variables
        await known(people, "tim", visit=Visit(session=who))
        assert who.variables["auth_groups"] == "a,b"


async def test_a_datasource_which_is_away_is_no_no(tmp_path: Path) -> None:
    async with scheme(tmp_path, f"{YES} {MAP}", uri="sqlite:/nowhere/users.db") as who:
        with pytest.raises(TroubleError):
            await known(who, "tim")


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ('query = "SELECT 1"', "needs query and cache"),
        ('query = "SELECT 1" cache = "nothing"', "no datasource 'nothing'"),
        ('query = "SELECT 1" cache = "users" map = [ u = "%{user}" ]', "is not known"),
    ],
)
async def test_a_scheme_which_cannot_be_refuses_the_configuration(
    tmp_path: Path, inside: str, what: str
) -> None:
    text = f"""
        datasource "users" {{ uri = ( "sqlite:x" ) }}
        auth_ds {{ scheme "s" {{ authenticate {{ {inside} }} }} }}
    """
    with pytest.raises(Error, match=what):
        Place(tmp_path, text).module(AuthDs)
    with pytest.raises(Error, match="has no authenticate"):
        Place(tmp_path, 'auth_ds { scheme "s" { } }').module(AuthDs)


@pytest.mark.effect("auth_ds.enabled")
async def test_a_scheme_is_found_by_its_name_unless_it_is_off(tmp_path: Path) -> None:
    place = Place(tmp_path, configuration(database(tmp_path), f"{YES} {MAP}"))
    place.module(AuthDs)
    assert set(place.policing.schemes) == {"people", "auth_ds"}
    by_name = place.policing.schemes["auth_ds"]
    with pytest.raises(TroubleError, match="no such scheme"):
        by_name.check(Claim("PLAIN", "tim", "clear", "x"), Visit(uri="auth_ds://others"))
    off = configuration(database(tmp_path), f"{YES} {MAP}", "enabled = false")
    place = Place(tmp_path, off)
    place.module(AuthDs)
    assert place.policing.schemes == {}


@pytest.mark.effect("auth_ds.debug_level")
async def test_what_is_wrong_with_a_row_is_told_as_it_is_wanted(tmp_path: Path) -> None:
    for level, told in (("ERROR", 0), ("WARNING", 1)):
        file = database(tmp_path)
        sources = Datasources(RealClock(), Random(1), Metrics())
        sources.configure([Settings(name="users", uris=(f"sqlite:{file}",))])
        place = Place(tmp_path, configuration(file, BY_COLUMN, f"debug_level = {level}"))
        place.datasources = sources
        await known(place.module(AuthDs).schemes["people"], "eve")
        assert len(place.panics) == told
        await sources.close()


ENTRIES = """
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: uid=tim,dc=example,dc=com
objectClass: inetOrgPerson
uid: tim
cn: Tim
sn: T
employeeType: C
userPassword: tanstaaf
description: tanstaaf
"""
BIND = '????bindname=uid=$u%2Cdc=example%2Cdc=com,x-bindpw=$p"'


async def test_a_directory_lets_in_whom_it_knows(tmp_path: Path) -> None:
    """By its search, and by a bind with the name and password that were said."""
    with slapd(ENTRIES.strip()) as server:
        bind = f'query = "{server.uri.partition("/dc")[0]}/{BIND}'
        async with scheme(tmp_path, f"{bind} {MAP}", uri=server.uri) as who:
            assert await known(who, "tim") == "tim"
            assert await known(who, "tim", "wrong") is None
        search = 'query = "ldap:///?description,employeeType?sub?(uid=$u)"'
        inside = f"""{search} map = [ u = "%{{username}}" ] returns_password = true
            password_column = "description" type_column = "employeeType" type_map = [ C = clear ]"""
        async with scheme(tmp_path, inside, uri=server.uri) as who:
            assert await known(who, "tim") == "tim"
            assert await known(who, "tim*") is None
