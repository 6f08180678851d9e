"""Who one is to the server, and which roles there are."""

import dataclasses
from pathlib import Path

from angarium.console.authorize import Authority
from helpers.consoles import OPERATOR, FakeServer, Talk

TEXT = 'authorization { role "alice" { allow = ( "^authz" ) } role "b" { allow = ( x ) } }'


async def test_one_is_who_one_is(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, TEXT)
    assert await Talk(server).plain("authz id") == {"username": "alice", "roles": []}
    alice = Talk(server, dataclasses.replace(OPERATOR, authority=Authority("alice", "")))
    assert await alice.say("authz id") == "User: alice\nRoles: alice"
    assert await alice.plain("authz roles list") == [{"name": "alice"}, {"name": "b"}]
    assert await alice.say("AUTHZ  roles list") == "alice\nb"


async def test_what_no_role_allows_is_refused_and_noted(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, TEXT)
    alice = Talk(server, dataclasses.replace(OPERATOR, authority=Authority("alice", "")))
    assert await alice.fails("pid authz") == "Not Authorized for this command"
    assert server.accounts == [("alice", "pid authz", 0)]
