"""The agent: answers questions by SNMP, versions 1, 2c and 3, out of a table of objects.

The table is made when somebody asks, and not more than once in some seconds: whoever asks in a
loop gets the same answers, and no worker does anything for it. Nothing can be set.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from pyasn1.error import PyAsn1Error
from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity import config
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.error import PySnmpError
from pysnmp.proto.api import v2c
from pysnmp.smi import error
from pysnmp.smi.instrum import AbstractMibInstrumController

from angarium.config.kinds import Place
from angarium.core.clock import Clock
from angarium.modules.monitor import snmp
from angarium.modules.monitor.door import bound
from angarium.modules.monitor.mib import Oid, Table
from angarium.modules.monitor.options.snmp import SnmpUser

FRESH_SECONDS: Final = 2.0  # for which a table is good
_INTERNET: Final = (1, 3, 6, 1)
_GROUP: Final = "community"

VarBind = tuple[Any, Any]
# What the library raises over octets which are no message; some of it for want of better checks.
_NO_MESSAGE: Final = (
    PyAsn1Error, PySnmpError, ArithmeticError, AttributeError, LookupError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip


class Careful:
    """Takes datagrams of strangers: what is no message is passed over, and nobody logs it."""

    def datagram_received(self, datagram: bytes, address: Any) -> None:
        with suppress(*_NO_MESSAGE):
            self._callback_function(self, address, datagram)  # type: ignore[attr-defined]


class CarefulUdp(Careful, udp.UdpTransport):  # type: ignore[misc]
    pass


class CarefulUdp6(Careful, udp6.Udp6Transport):  # type: ignore[misc]
    pass


class Controller(AbstractMibInstrumController):  # type: ignore[misc]
    """What pysnmp asks for values.

    Args:
        make: makes a table.
    """

    def __init__(self, make: Callable[[], Table], clock: Clock) -> None:
        self._make = make
        self._clock = clock
        self._table = Table({})
        self._made = float("-inf")

    @property
    def table(self) -> Table:
        now = self._clock.monotonic()
        if now - self._made >= FRESH_SECONDS:
            try:
                self._table, self._made = self._make(), now
            except _NO_MESSAGE as error:
                # A bug of ours; to who receives datagrams it would look like a fault of the peer.
                loop = asyncio.get_running_loop()
                loop.call_exception_handler({"message": "no objects for SNMP", "exception": error})
                raise
        return self._table

    def read_variables(self, *binds: VarBind, **asked: Any) -> Sequence[VarBind]:
        """Return these objects, or for each which there is not, why."""
        table = self.table
        return [self._read(table, number, bind, asked) for number, bind in enumerate(binds)]

    def _read(self, table: Table, number: int, bind: VarBind, asked: Mapping[str, Any]) -> VarBind:
        name = bind[0]
        _allowed(name, number, asked)
        oid: Oid = tuple(name)
        found = table.get(oid)
        if found is not None:
            return name, snmp.encoded(found)
        missing = v2c.NoSuchInstance if table.has_below(oid) else v2c.NoSuchObject
        return name, missing("")

    def read_next_variables(self, *binds: VarBind, **asked: Any) -> Sequence[VarBind]:
        """Return the objects behind these."""
        table = self.table
        answers = []
        for number, (name, _) in enumerate(binds):
            _allowed(name, number, asked)
            found = table.after(tuple(name))
            if found is None:
                answers.append((name, v2c.EndOfMibView("")))
            else:
                answers.append((v2c.ObjectIdentifier(found[0]), snmp.encoded(found[1])))
        return answers

    def write_variables(self, *binds: VarBind, **_asked: Any) -> Sequence[VarBind]:
        raise error.NotWritableError(name=binds[0][0], idx=0)


def _allowed(name: Any, number: int, asked: Mapping[str, Any]) -> None:
    """Raise where who asks is not known at the level of protection it asks with."""
    check = asked.get("acFun")
    if check is not None:
        check("read", (name, None), **{**asked, "idx": number})


class Agent:
    """An agent which listens.

    Args:
        address: where; the host "" or * is every address of this machine.
        given: a socket which is bound there already.
        community: what a question of version 1 or 2c names; "": these are not answered.

    Raises:
        OSError: it cannot listen there.
    """

    def __init__(
        self,
        address: Place,
        community: str,
        users: Mapping[str, SnmpUser],
        engine: Any,
        make: Callable[[], Table],
        clock: Clock,
        given: socket.socket | None = None,
    ) -> None:
        self._engine = engine
        self._listen(given or bound(address))
        if community:
            config.add_v1_system(engine, _GROUP, community, securityName=_GROUP)
            for model in (1, 2):
                config.add_vacm_user(engine, model, _GROUP, "noAuthNoPriv", _INTERNET)
        for name, user in users.items():
            config.add_v3_user(engine, name, **snmp.keys_of(user))
            config.add_vacm_user(engine, 3, name, snmp.level_of(user), _INTERNET)
        served = context.SnmpContext(engine)
        served.unregister_context_name(v2c.OctetString(""))
        served.register_context_name(v2c.OctetString(""), Controller(make, clock))
        for responder in (
            cmdrsp.GetCommandResponder,
            cmdrsp.NextCommandResponder,
            cmdrsp.BulkCommandResponder,
            cmdrsp.SetCommandResponder,
        ):
            responder(engine, served)

    def _listen(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        six = listening.family == socket.AF_INET6
        self.port: int = listening.getsockname()[1]
        kind = udp6 if six else udp
        transport = (CarefulUdp6 if six else CarefulUdp)(loop=asyncio.get_running_loop())
        config.add_transport(
            self._engine, kind.DOMAIN_NAME, transport.open_server_mode(sock=listening)
        )

    def close(self) -> None:
        self._engine.close_dispatcher()
