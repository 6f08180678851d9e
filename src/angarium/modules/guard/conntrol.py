"""conntrol: waits before the banner, to see who talks too early, and counts bad commands.

A client of SMTP waits for the banner (RFC 5321 section 3.1); programs which only want to be rid of
their mail often do not. With a teaser, a first line of the banner that comes at once, even those
show themselves which wait for a line and not for the last one. Who has waited once may be let in at
once for a while, on the whole node: it is a mail server, and will not forget how to wait.
"""

import asyncio
import math
from typing import Final

from angarium.core.errors import Error
from angarium.core.reply import Reply, from_text
from angarium.events.metrics import counter
from angarium.modules.guard.options import ConnControl as Options
from angarium.modules.guard.peers import Exempt
from angarium.modules.means import Means
from angarium.policy.context import Session
from angarium.policy.hooks import BadCommand, Connect, on
from angarium.policy.shared.blocks import packed
from angarium.policy.verdict import CONT, DONE, Verdict

EARLY: Final = "early_talker"
BAD: Final = "conntrol_bad_commands"
UNRECOGNIZED: Final = "conntrol_unrecognized_commands"
LOOK_SECONDS: Final = 0.1  # how soon an early talker is seen
PATIENT: Final = "conntrol patient"
MOST_PATIENT: Final = 100_000  # clients who need not wait again; who waited first goes

EARLIES: Final = counter("early_talkers", "Clients which talked before the banner.")


class ConnControl:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._pause = options.pause_time or 0.0
        self._line = _line(options.banner, name)
        self._teaser = _line(options.teaser, name)
        self._reply = _reply(options.disconnect_ratware, name)
        self._exempt = Exempt(options.exempt)
        self._remember = options.remember
        self._patient = (
            means.shared.define_values(PATIENT, MOST_PATIENT) if self._remember else None
        )
        self._tell = means.tell
        self._earlies = means.metrics.cell(EARLIES)

    @on(Connect)
    def client(self, event: Connect) -> object:
        session = event.session
        session.variables[BAD] = session.variables[UNRECOGNIZED] = "0"
        if self._line:
            session.greeting.append(self._line)
        if not self._pause or self._exempt.has(session) or self._has_waited(session):
            return CONT
        if self._teaser:
            session.say(f"220-{self._teaser}")
        return self._waited(event)

    def _has_waited(self, session: Session) -> bool:
        patient = self._patient
        return patient is not None and patient.get(packed(session.address)) is not None

    async def _waited(self, event: Connect) -> Verdict:
        """Wait, and look whether the client has said anything."""
        session = event.session
        looks = math.ceil(self._pause / LOOK_SECONDS)
        for _ in range(looks):
            # Who is not turned away waits to the end: nobody is served sooner for talking early.
            if session.heard() and self._reply is not None:
                break
            await asyncio.sleep(self._pause / looks)
        if not session.heard():
            if self._patient is not None:
                self._patient.set(packed(session.address), True, self._remember)
            return CONT
        session.variables[EARLY] = "yes"
        if self._patient is not None:
            self._patient.unset(packed(session.address))
        self._earlies.value += 1
        self._tell("INFO", f"{session.address} talks before the banner")
        if self._reply is None:
            return CONT
        session.refuse(self._reply, disconnect=True)
        return DONE

    @on(BadCommand)
    def bad(self, event: BadCommand) -> Verdict:
        _count(event.session, BAD if event.known else UNRECOGNIZED)
        return CONT


def _count(session: Session, name: str) -> None:
    session.variables[name] = str(int(session.variables.get(name) or 0) + 1)


def _line(text: str | None, name: str) -> str:
    """Return a line of the banner without code and line end: "220-Welcome\\r\\n"."""
    line = (text or "").replace("\\r", "\r").replace("\\n", "\n").strip("\r\n")
    for code in ("220-", "220 "):
        line = line.removeprefix(code)
    if not line.isprintable():
        raise Error("a line of the banner has characters which none may have", module=name)
    return line


def _reply(text: str | None, name: str) -> Reply | None:
    if not text:
        return None
    reply = from_text(text.replace("\\r", "").replace("\\n", " "), 421)
    if reply.positive:
        raise Error("disconnect_ratware is no refusal: it begins with 4 or 5", module=name)
    return reply
