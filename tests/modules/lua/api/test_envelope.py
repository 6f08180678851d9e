"""The envelope of a message."""

from types import SimpleNamespace

import pytest

from angarium.modules.lua.runtime import State
from angarium.policy.context import Steps
from helpers.guards import session
from helpers.objects import each, mail, refused, said, with_means


@pytest.fixture(scope="module")
def lua() -> State:
    bindings = [("default", "default"), ("group", "one"), ("group", "two")]
    return with_means(SimpleNamespace(configuration=SimpleNamespace(bindings=lambda: bindings)))


def test_sender_and_recipient_are_read_and_set() -> None:
    one = each(mail())
    text = "return msg:mailfrom(), msg:mailfrom('<c@x.test>'), msg:rcptto(), msg:rcptto('d@x.test')"
    assert said(text, one) == [b"a@example.com", b"c@x.test", b"b@example.org", b"d@x.test"]
    assert (one.sender, one.rcptto, one.routing_domain) == ("c@x.test", "d@x.test", "x.test")
    assert said("return msg:mailfrom('')", one) == b""


def test_what_is_no_address_is_refused() -> None:
    one = each(mail())
    assert "is no address" in refused("msg:mailfrom('a b@x.test')", one)
    assert "is no address of a recipient" in refused("msg:rcptto('nobody')", one)
    assert "from validate_data_spool_each_rcpt on" in refused("msg:rcptto('d@x.test')", mail())
    assert "string expected" in refused("msg:mailfrom({})", one)


def test_parts_of_an_address_are_put_into_strings() -> None:
    text = """
    local c = msys.core
    local l, d = c.string_new(), c.string_new()
    msg:get_envelope2(c.EC_MSG_ENV_FROM, l, d)
    local from = l .. "|" .. d
    msg:get_envelope2(c.EC_MSG_ENV_TO | c.EC_MSG_ENV_COMPLETE, l)
    return from, tostring(l)
    """
    assert said(text, mail()) == [b"a|example.com", b"b@example.org"]
    assert "either EC_MSG_ENV_FROM or" in refused(
        "msg:get_envelope2(3, msys.core.string_new())", mail()
    )


def test_routing_is_of_one_or_of_all() -> None:
    whole = mail(step=Steps.RCPT)
    assert said("return msg:routing_domain(), msg:routing_domain('Relay.X.Test.')", whole) == [
        b"example.org", b"relay.x.test",
    ]  # fmt: skip
    one = each(mail())
    said("msg:routing_domain('other.test')", one)
    assert one.recipients[0].domain == "other.test"
    one.step = Steps.FINAL
    assert "its routing is decided" in refused("msg:routing_domain('x.test')", one)


def test_a_binding_is_chosen_by_name(lua: State) -> None:
    one = each(mail(), Steps.BINDING)
    text = "return msg:binding(), msg:binding('none'), msg:binding('two'), msg:binding()"
    assert said(text, one, lua=lua) == [None, None, b"two", b"two"]
    assert (one.recipients[0].binding_group, one.recipients[0].binding) == ("group", "two")
    text = "return msg:binding_group('nothing'), msg:binding_group('group'), msg:binding_group()"
    assert said(text, one, lua=lua) == [None, b"group", b"group"]
    assert one.recipients[0].binding == ""


def test_a_binding_is_chosen_for_one_recipient_and_in_time(lua: State) -> None:
    said_no = "a binding is chosen in validate_set_binding"
    assert said_no in refused("msg:binding('one')", mail(), lua=lua)
    assert said_no in refused("msg:binding_group('group')", each(mail(), Steps.FINAL), lua=lua)


def test_what_is_known_of_a_message() -> None:
    peer = session()
    peer.local_address, peer.local_port = "192.0.2.9", 25
    one = each(mail(session=peer))
    text = """
    return msg:reception_peer(), msg:reception_peer("ip"), msg:reception_peer("port"),
      msg:listener_addr(nil), msg.recv_method == msys.core.P_ESMTP,
      msg:get_message_size() == msg.size,
      msg:get_delivery_method(), msg:is_mcmt(), msg.id == msg.batch_id, msg.conn_id ~= msg.id
    """
    assert said(text, one) == [
        b"192.0.2.1:4711", b"192.0.2.1", b"4711", b"192.0.2.9:25", True, True, b"smtp", False, True,
        True,
    ]  # fmt: skip
    assert "ip, port or all" in refused("msg:reception_peer('x')", one)


def test_a_priority_is_0_or_1() -> None:
    one = each(mail())
    said("msg.priority = 1", one)
    assert one.priority == 1
    for wrong in ("2", "-1", "'x'"):
        assert "a priority is 0 or 1" in refused(f"msg.priority = {wrong}", one)
