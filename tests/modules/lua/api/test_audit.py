"""msys.audit_series and msys.audit."""

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.policy.context import Session
from angarium.policy.hooks import Connect
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import CONNECTIONS, RECEPTIONS, REJECTIONS, monitored, name_of
from angarium.policy.shared.node import Shared
from angarium.policy.shared.presence import SMTP
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state

REQUIRE = 'require("msys.audit_series") require("msys.audit") local s = msys.audit_series '


class Node:
    """A Lua which shares."""

    def __init__(self) -> None:
        self.clock = FakeClock(1_700_000_040.0)  # a multiple of 60
        self.shared = Shared(self.clock)
        self.lua: State = state(services(clock=self.clock))
        self.lua.services.parts[Shared] = self.shared
        self.lua.situation = Connect(Session(peer=("192.0.2.9", 1)))

    def knows(self, session: Session) -> None:
        """Let scripts have the accept construct of a session."""
        kept = self.lua.load(b"ac = ...", "ac")
        self.lua.run_now(kept, self.lua.proxy("accept_construct", session))

    def run(self, source: str) -> object:
        return run(REQUIRE + source, self.lua)


@pytest.fixture
def node() -> Node:
    return Node()


def test_a_series_of_strings_counts_by_key_in_windows(node: Node) -> None:
    node.run('s.define("s", "string", 60, 3); s.add("s", "a"); s.add("s", {key = "a", count = 4})')
    node.clock.advance(60)
    node.run('s.add("s", {key = "a", count = -2})')
    found = node.run(
        'return s.count("s", "a"), s.count("s", {key = "a", startv = 1, endv = 1}),'
        ' s.count("s", {key = "a", startv = 0, endv = 2}), s.count("s", "b")'
    )
    assert found == [-2, 5, 3, 0]
    assert node.run('s.remove_item("s", "a"); return s.count("s", {key = "a", endv = 2})') == 0


def test_a_series_of_strings_needs_a_key(node: Node) -> None:
    node.run('s.define("s", "string", 60, 3)')
    for call in ('s.add("s")', 's.count("s", {})', 's.remove_item("s")'):
        with pytest.raises(ScriptError, match="no key is given"):
            node.run(call)


def test_addresses_of_the_other_family_are_not_counted_and_are_no_error(node: Node) -> None:
    node.run('s.define("4", "cidr", 60, 3) s.define("6", "cidr_ipv6", 60, 3)')
    node.run('s.add("4") s.add("6") s.add("6", "2001:db8::1")')
    found = node.run('return s.count("4"), s.count("6"), s.count("6", "2001:db8::/32")')
    assert found == [1, 0, 1]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('s.define("s", "ip", 60, 3)', "cidr, cidr_ipv6 or string"),
        ('s.define("s", "cidr", 0, 3)', "windows of 1 second"),
        ('s.define("s", "cidr", 60, 3, {replicate = "all"})', "none, cluster or manager"),
        ('s.add("none", "192.0.2.1")', "no audit series 'none'"),
        ('msys.audit.connections("60,1")', "no monitor '60,1'"),
        ('msys.audit.inbound_session_count("/24", "smtp")', "no service 'smtp'"),
        ('msys.audit.inbound_session_count("/24", "Control")', "sessions of Control are not"),
    ],
)
def test_what_cannot_be_is_an_error_of_lua(node: Node, call: str, why: str) -> None:
    with pytest.raises(ScriptError, match=why):
        node.run(call)


def test_a_series_may_be_kept_in_files(node: Node) -> None:
    node.run('s.define("s", "cidr", 60, 3, {persist = true, serialize = true})')
    series = node.shared.series("s")
    assert (series.persist, series.serialize) == (True, True)
    node.run('s.define("s", "cidr", 60, 3, {replicate = "cluster"})')
    assert (series.persist, series.serialize) == (False, False)


def test_what_inbound_audit_counts_is_read_by_monitor(node: Node) -> None:
    for count, kind in enumerate((CONNECTIONS, RECEPTIONS, REJECTIONS), 1):
        series = node.shared.define_series(name_of(kind, "60,1"), "address", 60, 2)
        series.add(packed("192.0.2.9"), count)
        series.add(packed("192.0.2.10"), 10)
        assert monitored(node.shared, kind, "60,1") is series
    found = node.run(
        "local a = msys.audit "
        'return a.connections("60,1"), a.receptions("60,1", "192.0.2.0/24"),'
        ' a.rejections("60,1", {cidr = "/24"}), a.connections("60,1", {startv = 1, endv = 1})'
    )
    assert found == [1, 12, 13, 0]


def test_sessions_at_once_are_counted_from_when_they_are_asked_for(node: Node) -> None:
    node.shared.counted = lambda presence: presence.add(packed("192.0.2.7"), 2)
    count = "local count = msys.audit.inbound_session_count "
    assert node.run(count + 'return count("/24", "SMTP"), count("192.0.2.7", "SMTP")') == [2, 2]
    node.shared.define_presence(SMTP).add(packed("192.0.2.7"), 1)
    assert node.run(count + 'return count("192.0.2.0/24", "inbound_cidr")') == 3


def test_who_is_connected_is_counted_by_accept_construct_as_by_address(node: Node) -> None:
    node.run('s.define("4", "cidr", 60, 3) s.define("6", "cidr_ipv6", 60, 3)')
    node.run('s.define("s", "string", 60, 3) s.add("4", {count = 2}) s.add("4", "192.0.2.7")')
    node.knows(node.lua.situation.session)
    assert node.run('return s.count("4", ac), s.count("4", {key = ac}), s.count("6", ac)') == [
        2, 2, 0,
    ]  # fmt: skip
    with pytest.raises(ScriptError, match="no key is given"):
        node.run('s.count("s", ac)')
    node.knows(Session(peer=("no address", 1)))
    with pytest.raises(ScriptError, match="is no address"):
        node.run('s.count("4", ac)')
