"""Lines nobody wrote, to a session with AUTH: nobody gets in, and every line has its answer.

Short in CI; `make fuzz` runs it long. `one` is what another fuzzer would call.
"""

import base64
from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.radius import RadiusError, response
from angarium.wire.sasl.names import ALL
from helpers.reception import Desk

LISTENER: Final = """
  smtp_extensions = ( "AUTH" )
  auth_in_clear = yes  auth_failure_delay = 0  auth_failures_per_connection = 1000
  auth_failures_per_address = 0  max_errors_per_connection = 0  max_idle_commands = 0
  authplainparameters = [ uri = "file:///nowhere" ]
  authloginparameters = [ uri = "file:///nowhere" ]
  authcrammd5parameters = [ uri = "file:///nowhere" ]
  authdigestmd5parameters = [ uri = "file:///nowhere" ]
  authscramparameters = [ uri = "file:///nowhere" ]
"""
PIECES = st.sampled_from(
    [b"\0tim\0pass", b"n,,n=tim,r=abc", b"tim " + b"0" * 32, b"tim", b"", b"c=biws,r=abc,p=x",
     b'username="tim",realm="x",nc=00000001', b"user=tim\1auth=Bearer x\1\1"]
)  # fmt: skip
RESPONSES = (PIECES | st.binary(max_size=60)).map(base64.b64encode)
COMMANDS = st.builds(
    lambda name, said: b"AUTH " + name.encode() + (b" " + said if said else b""),
    st.sampled_from([*ALL, "GSSAPI", ""]),
    RESPONSES | st.just(b"="),
)
LINES = st.lists(
    COMMANDS
    | RESPONSES
    | st.sampled_from([b"*", b"EHLO x", b"NOOP", b"RSET", b"MAIL FROM:<>", b"=", b"AUTH"])
    | st.binary(max_size=40).map(lambda octets: octets.replace(b"\n", b"")),
    max_size=20,
)


def one(lines: Sequence[bytes]) -> None:
    """Say these lines. Raises AssertionError where a promise is broken."""
    talk = Desk(listener=LISTENER).greeted()
    for line in lines:
        talk.send(line + b"\r\n")
        heard = talk.heard()
        assert heard or talk.transport.over
        assert not any(each.startswith("235") for each in heard)
    assert not talk.session.origin.known


@given(LINES)
def test_nobody_gets_in_by_chance(lines: list[bytes]) -> None:
    one(lines)


@given(st.binary(max_size=120), st.integers(0, 255))
def test_no_octets_are_an_answer_of_radius(octets: bytes, ident: int) -> None:
    try:
        response(octets, ident, bytes(16), b"secret")
    except RadiusError:
        return
    raise AssertionError("somebody has made an MD5 by chance")
