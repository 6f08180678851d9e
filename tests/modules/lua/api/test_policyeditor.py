from collections.abc import Callable, Sequence
from random import Random
from typing import Any, cast

import pytest

from angarium.config.load import load_text
from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from angarium.policy.context import Session, Steps
from angarium.policy.hooks import Data
from angarium.policy.mail import Mail
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state


class _Admit:
    def __init__(self) -> None:
        self.injected: list[tuple[Message, Sequence[Recipient]]] = []
        self.done: Callable[[object], None] = lambda _refused: None

    def inject(
        self, message: Message, recipients: Sequence[Recipient], done: Callable[[object], None]
    ) -> None:
        self.injected.append((message, recipients))
        self.done = done


class _Means(Means):
    def __init__(self) -> None:
        self.configuration = load_text('Binding_Group "g" { Binding "b1" {} Binding "b2" {} }')
        self.random = Random(1)
        self.admit = cast(Any, _Admit())


class World:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.clock = FakeClock()
        made = services(clock=self.clock, panic=self.said.append)
        self.means = _Means()
        made.parts[Means] = self.means
        self.lua: State = state(made)
        self.session = Session(peer=("192.0.2.1", 25), local=("192.0.2.9", 2525))
        message = Message("a@b.example", MemoryBody(b"\r\nbody\r\n"), header=b"Subject: hi\r\n")
        recipient = Recipient("c@d.example", "")
        self.mail = Mail(message, [recipient], self.session, recipient)
        self.mail.step = Steps.BINDING
        self.lua.situation = Data(self.mail, self.session)

    @property
    def admit(self) -> _Admit:
        return cast(_Admit, self.means.admit)

    def call(self, name: str, params: str = "", vars: str = "{}") -> Any:
        source = f"""
            local vars = {vars}
            local result = msys.policyeditor.{name}({{}}, vars, {{ {params} }})
            return result, vars
        """
        return run(source, self.lua)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("name", "params", "result"),
    [
        ("get_header", 'header = "Subject"', b"hi"),
        ("get_header", 'header = "None"', None),
        ("get_mailfrom", "", b"a@b.example"),
        ("get_rcptto", "", b"c@d.example"),
        ("get_mess_recv_from", "", b"192.0.2.1:25"),
        ("get_mess_recv_via", "", b"192.0.2.9:2525"),
        ("vctx_conn_get", 'key = "x"', b""),
    ],
)
def test_the_message_is_read(world: World, name: str, params: str, result: object) -> None:
    assert world.call(name, params)[0] == result


def test_fields_are_taken_out(world: World) -> None:
    assert world.call("del_header", 'header = "subject"')[0] == 1
    assert world.mail.draft.value("subject") is None


def test_variables_are_those_of_the_script(world: World) -> None:
    assert world.call("set_variable", 'name = "x", value = 5')[1] == {b"x": 5}
    assert world.call("get_variable", 'name = "y"', '{ y = "z" }')[0] == b"z"


def test_contexts_are_those_of_session_and_message(world: World) -> None:
    world.call("vctx_conn_set", 'key = "x", value = 1')
    world.call("vctx_mess_set", 'key = "y", value = "2"')
    assert world.session.variables == {"x": "1"}
    assert world.call("vctx_mess_get", 'key = "y"')[0] == b"2"


def test_a_match_sets_variables(world: World) -> None:
    found, variables = world.call("pcre_match", 'subject = "a-b", pattern = "(?P<l>a)-(b)"')
    assert found is True
    assert variables == {b"$0": b"a-b", b"$1": b"a", b"$2": b"b", b"$l": b"a"}
    assert world.call("pcre_match", 'subject = "a", pattern = "b"') == [False, {}]


def test_a_binding_is_chosen(world: World) -> None:
    assert world.call("set_binding", 'binding = "b1, b2"')[0] is True
    assert world.mail.recipient is not None
    assert world.mail.recipient.binding in ("b1", "b2")
    assert world.call("set_binding_group", 'binding_group = "g"')[0] is True
    assert world.mail.recipient.binding_group == "g"
    assert world.call("set_binding", 'binding = "none"')[0] is False


def test_a_message_is_sent_now_and_then(world: World) -> None:
    params = """from = "me@a.example", to = "you@B.example", subject = "one\\r\\ntwo",
        body = "line\\n.dot", throttle = 60"""
    assert world.call("send_email", params)[0] is True
    assert world.call("send_email", params)[0] is False
    world.clock.advance(61.0)
    assert world.call("send_email", params)[0] is True
    message, recipients = world.admit.injected[0]
    assert (message.sender, recipients[0].address, recipients[0].domain) == (
        "me@a.example", "you@B.example", "b.example",
    )  # fmt: skip
    whole = message.header + b"".join(message.body.pieces())
    assert b"Subject: one two\r\n" in whole
    assert whole.endswith(b"\r\n\r\nline\r\n.dot\r\n")
    world.admit.done("no room")
    assert world.said == ["a message to you@B.example was not taken: no room"]


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("get_header", "", "'header' is missing"),
        ("send_email", 'from = "a", to = "b", subject = "c", body = "d"', "no address"),
        ("pcre_match", 'subject = "a", pattern = "("', "no regular expression"),
        ("send_trap", 'payload = "x", address = "what"', "no IP address"),
        ("get_binding_domain_failure_rate", "", "does not have"),
    ],
)
def test_what_cannot_be_done_is_an_error(world: World, name: str, params: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        world.call(name, params)


def test_without_a_message_it_is_said_so() -> None:
    world = World()
    world.lua.situation = None
    with pytest.raises(ScriptError, match="no message yet"):
        world.call("get_mailfrom")
    with pytest.raises(ScriptError, match="no session"):
        world.call("get_mess_recv_via")
