"""LDAP, asked for real."""

from collections.abc import Iterator

import pytest

from angarium.data.errors import LateError, StatementError, UnreachableError
from helpers.databank import those
from helpers.databases import Server, asking, slapd

ENTRIES = """\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: cn=Ann,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn: Ann
sn: One
uid: ann
mail: ann@example.com
mail: a@example.com
userPassword: right

dn: cn=B\\2C (x),ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn: B, (x)
sn: Zwölf
uid: b*
mail: b@example.com
"""
PEOPLE = "ldap:///ou=people,dc=example,dc=com"
BIND = "????bindname=cn=$user%2cou=people%2cdc=example%2cdc=com,x-bindpw=$pass"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with slapd(ENTRIES) as running:
        yield running


@pytest.mark.peer
@pytest.mark.slow
async def test_an_entry_is_a_row_with_lists_where_there_are_several_values(server: Server) -> None:
    async with asking(server.uri) as source:
        query = f"{PEOPLE}?mail,SN,title?sub?(uid=$id)?x-return-dn=where"
        row = await source.fetch_row(query, {"id": "ann"})
        assert row is not None
        assert dict(row) == {
            "mail": ("ann@example.com", "a@example.com"), "SN": "One", "title": None,
            "where": "cn=Ann,ou=people,dc=example,dc=com",
        }  # fmt: skip
        assert await source.query(query, {"id": "nobody"}) == ()
        # What a query leaves out is that of the uri: here the name of the entry, and its scope.
        assert await source.query("ldap:///?o") == those({"o": "Example"})
        assert await source.query("ldap:///ou=none,dc=example,dc=com?cn?sub") == ()


@pytest.mark.peer
@pytest.mark.slow
async def test_values_are_quoted_for_where_they_stand(server: Server) -> None:
    async with asking(server.uri) as source:
        query = f"{PEOPLE}?sn?sub?(uid=$id)"
        assert await source.query(query, {"id": "*"}) == ()
        assert await source.query(query, {"id": "b*"}) == those({"sn": "Zwölf"})
        assert await source.query(query, {"id": "x)(uid=ann"}) == ()
        named = "ldap:///cn=$cn,ou=people,dc=example,dc=com?uid"
        assert await source.query(named, {"cn": "B, (x)"}) == those({"uid": "b*"})
        assert await source.query("ldap:///$dn?o", {"dn": "dc=example,dc=com"}) == those(
            {"o": "Example"}
        )


@pytest.mark.peer
@pytest.mark.slow
async def test_a_query_without_anything_to_find_asks_for_the_password_only(server: Server) -> None:
    async with asking(server.uri, no_cache=True) as source:
        pool = source.pools[0]
        for password, let_in in (("right", True), ("wrong", False), ("", False), ("right", True)):
            found = await source.query(f"ldap:///{BIND}", {"user": "Ann", "pass": password})
            assert found == (those({"bind": 1}) if let_in else ())
        assert await source.query(f"ldap:///{BIND}", {"user": "No,body", "pass": "x"}) == ()
        assert not pool.breaker.resting
        assert pool.idle == 0


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.effect("ds_ldap.connection_cache_size")
async def test_connections_are_used_again_by_those_who_ask_as_the_same(server: Server) -> None:
    root = "bindname=cn=root%2cdc=example%2cdc=com,x-bindpw=secret"
    async with asking(f"{server.uri}????{root}", no_cache=True) as source:
        pool = source.pools[0]
        for _ in range(3):
            assert await source.query("ldap:///?o") == those({"o": "Example"})
        assert (pool.opened, pool.idle) == (1, 1)
        assert len(await source.query(f"ldap:///{BIND}", {"user": "Ann", "pass": "right"})) == 1
        assert (pool.opened, pool.idle) == (2, 1)
        alone = "ldap:///?o???x-disable-connection-cache=true"
        await source.query(alone)
        await source.query(alone)
        assert pool.opened == 4
    async with asking(server.uri, no_cache=True, idle=0) as source:
        await source.query("ldap:///?o")
        await source.query("ldap:///?o")
        assert source.pools[0].opened == 2


@pytest.mark.peer
@pytest.mark.slow
async def test_a_certificate_is_checked(server: Server) -> None:
    async with asking(f"{server.uri}????x-start-tls=true") as source:
        with pytest.raises(UnreachableError, match="ertificate"):
            await source.query("ldap:///?o")
    trusted = f"x-start-tls=true,x-ca-file={server.folder}/cert.pem"
    async with asking(f"{server.uri}????{trusted}") as source:
        assert await source.query("ldap:///?o") == those({"o": "Example"})
    # The same server by a name which its certificate does not have.
    other = server.uri.replace("127.0.0.1", "127.1")
    async with asking(f"{other}????{trusted}") as source:
        with pytest.raises(UnreachableError, match="ertificate"):
            await source.query("ldap:///?o")


@pytest.mark.peer
@pytest.mark.slow
async def test_rows_and_time_are_bounded_and_refusals_told(server: Server) -> None:
    async with asking(server.uri, max_rows=1) as source:
        assert len(await source.query(f"{PEOPLE}?cn?sub")) == 1
        with pytest.raises(StatementError, match="ilter"):
            await source.query("ldap:///??sub?(uid")
    async with asking(
        f"{server.uri}????bindname=cn=root%2cdc=example%2cdc=com,x-bindpw=no"
    ) as source:
        with pytest.raises(UnreachableError, match="does not let us in"):
            await source.query("ldap:///?o")
        query = f"{PEOPLE}?cn?sub??bindname=cn=Ann%2cou=people%2cdc=example%2cdc=com,x-bindpw=no"
        for _ in range(4):
            with pytest.raises(StatementError, match="does not let us in"):
                await source.query(query)
    async with asking(server.uri, query_seconds=0.3) as source:
        with server.hanging(), pytest.raises(LateError):
            await source.query("ldap:///?o")
    async with asking(server.uri, no_cache=True) as source:
        await source.query("ldap:///?o")
        server.stop()
        with pytest.raises(UnreachableError):
            await source.query("ldap:///?o")
        server.start()
        assert await source.query("ldap:///?o") == those({"o": "Example"})
