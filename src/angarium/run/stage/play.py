"""Plays a transcript on a stage, and says at which line something else happened.

What a client is to hear is waited for, in virtual time, so a handler which asks DNS or sleeps is
tested like any other. A test ends at its first line that does not hold: what comes after it would
tell of another session.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.core.message import Message, Recipient, context_of
from angarium.core.reply import Reply, from_text
from angarium.mail.format.draft import Draft
from angarium.modules.lua.lint import registered_names
from angarium.outbound.errors import DeliveryError
from angarium.policy.guard import Tally
from angarium.run.stage.answers import AnswerError
from angarium.run.stage.stage import Client, Stage
from angarium.run.stage.transcript import Step, Transcript, TranscriptError
from angarium.run.stage.virtual import StuckError, VirtualLoop

# The longest a client waits for an answer, in virtual seconds.
PATIENCE: Final = 900.0
# Lines which say who may send what where; without one everybody may.
_RELAYS: Final = re.compile(r"\b(?:open_relay|relay_\w+)\b")
LISTENER: Final = 'esmtp_listener { listen "127.0.0.1:2525" { } }'


class Failed(Exception):  # noqa: N818 - it is the verdict of a test
    """A line does not hold: what was to be, what is."""


@dataclass(slots=True)
class Outcome:
    """What became of a test.

    Attributes:
        line: where it failed; 0: it did not.
        why: what was to be, and what is.
        panics: what policy complained about meanwhile.
        tallies: calls of each handler, by hook and name.
    """

    path: Path
    line: int = 0
    why: str = ""
    panics: list[str] = field(default_factory=list)
    tallies: list[tuple[str, str, Tally]] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.why


def play(transcript: Transcript) -> Outcome:
    """Play it, on a loop of its own."""
    outcome = Outcome(transcript.path)
    loop = VirtualLoop()
    try:
        loop.run_until_complete(_play(transcript, loop, outcome))
    except TranscriptError as error:
        line = error.fields.get("line", 0)
        outcome.line, outcome.why = (line if isinstance(line, int) else 0), error.message
    finally:
        loop.close()
    return outcome


async def _play(transcript: Transcript, loop: VirtualLoop, outcome: Outcome) -> None:
    try:
        stage = Stage(configuration(transcript), loop)
    except Error as error:
        outcome.why = str(error)
        return
    player = Player(stage)
    try:
        for step in transcript.setup:
            outcome.line = step.line
            player.prepare(step)
        for step in transcript.acts:
            outcome.line = step.line
            await player.act(step)
        outcome.line = 0
    except (Failed, AnswerError, StuckError) as error:
        outcome.why = str(error)
    finally:
        stage.close()
        await stage.quiet()
        await _ended()
        outcome.panics = stage.panics
        policy = stage.services.policing.policy
        outcome.tallies = [
            (hook.name, handler.name, handler.tally) for hook, handler in policy.handlers()
        ]


async def _ended() -> None:
    """End what policy has left running."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def configuration(transcript: Transcript) -> Configuration:
    """Return the configuration of a test: its lines, and a stanza for each language it names.

    Raises:
        ConfigError: it is faulty.
    """
    lines = [line for each in transcript.setup for line in _lines(each)]
    text = "\n".join(lines)
    if "esmtp_listener" not in text:
        text += f"\n{LISTENER}"
    if not _RELAYS.search(text):
        text += '\nrelay_hosts = ("0.0.0.0/0", "::/0")'
    scripts = [
        (file, each.block)
        for each in transcript.setup
        if each.word == "policy"
        for file in each.rest.split()
    ]
    for stanza, ours in (("python", True), ("scriptlet", False)):
        named = [each for each in scripts if each[0].endswith(".py") is ours]
        text += _stanza(stanza, named, transcript.path.parent) if named else ""
    return load_text(text, path=str(transcript.path))


def _lines(step: Step) -> list[str]:
    return [step.rest, *step.block] if step.word == "config" else []


def _stanza(kind: str, scripts: Sequence[tuple[str, list[str]]], folder: Path) -> str:
    inner = [
        "\n".join((f'script "{name}" {{ source = "{file}"', *settings, "}"))
        for file, settings in scripts
        for name in _names(folder / file)
    ]
    return "\n".join((f'\n{kind} "{kind}" {{', *inner, "}"))


def _names(script: Path) -> list[str]:
    """Return the names a script has: in Lua those it registers itself by."""
    own = []
    if script.suffix == ".lua" and script.is_file():
        own = registered_names(script.read_bytes())
    return own or [script.stem]


class Player:
    """Does what the lines of a transcript say."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._client: Client | None = None
        self._last: tuple[Message, Recipient] | None = None

    def prepare(self, step: Step) -> None:
        """Tell DNS and databases what to say."""
        if step.word == "dns":
            self.stage.names.add(step.rest.split())
        elif step.word == "query":
            self.stage.databases.add(" ".join((step.rest, *step.block)))

    async def act(self, step: Step) -> None:
        """Do a line. Raises Failed."""
        match step.word:
            case "connect":
                words = step.rest.split() or ["192.0.2.1"]
                port = int(words[1]) if len(words) > 1 and words[1].isdigit() else 34567
                self._client = self.stage.connect(words[0], port)
            case ">":
                self._who.send(step.rest.encode() + b"\r\n")
            case "message":
                await self._message(step.block)
            case "<":
                await self._hear(step.rest)
            case "wait":
                await asyncio.sleep(_seconds(step.rest))
            case "leave":
                self._who.leave()
            case "delivered" | "failed":
                self._end(step)
            case "expect":
                await self.stage.quiet()
                self._expect(step)

    @property
    def _who(self) -> Client:
        if self._client is None:
            raise Failed("nobody has connected: say `connect ADDRESS` first")
        return self._client

    async def _message(self, lines: list[str]) -> None:
        """Say DATA, if that was not said, and the message."""
        client = self._who
        if client.session.phase != "receiving the body":
            client.send(b"DATA\r\n")
            await self._hear("354")
        self.send(lines)

    def send(self, lines: Sequence[str]) -> None:
        """Say a message, and the dot that ends it."""
        stuffed = [f".{line}" if line.startswith(".") else line for line in lines]
        text = "\r\n".join((*stuffed, ".", ""))
        self._who.send(text.encode("utf-8", "surrogateescape"))

    async def answer(self) -> list[str]:
        """Wait until the client hears something, and return the lines."""
        client = self._who
        await self.stage.quiet()
        until = self.stage.loop.time() + PATIENCE
        while client.waiting and not client.closed and self.stage.loop.time() < until:
            await asyncio.sleep(0.1)
            await self.stage.quiet()
        return client.heard()

    async def _hear(self, wanted: str) -> None:
        heard = _replies(await self.answer())
        if not heard:
            raise Failed(f"it was to hear {wanted!r}, and hears nothing")
        if len(heard) > 1:
            raise Failed(f"it was to hear one answer, {wanted!r}, and hears {' | '.join(heard)!r}")
        if not heard[0].startswith(wanted):
            raise Failed(f"it was to hear {wanted!r}, and hears {heard[0]!r}")

    def _end(self, step: Step) -> None:
        """Let the message that was looked at last be delivered, or fail."""
        if self._last is None:
            raise Failed("which message? say `expect to ADDRESS` first")
        _, recipient = self._last
        key = recipient.binding_group, recipient.binding, recipient.domain
        line = self.stage.board.lines.get(key)
        entry = next((each for each in (line.take(1) if line else ())), None)
        if entry is None:
            raise Failed("that message is not in its queue any more")
        said = from_text(step.rest or "250 2.0.0 accepted")
        if step.word == "delivered":
            self.stage.settle.delivered(entry, "192.0.2.25:25", 1, said, entry.message.size)
        else:
            self.stage.settle.failed(entry, DeliveryError(said, remote="192.0.2.25:25"))

    def _expect(self, step: Step) -> None:
        what, _, rest = step.rest.partition(" ")
        match what:
            case "nothing":
                if self.stage.spool.put_down:
                    raise Failed(f"nothing was to be queued, and mail is to {self._queued()}")
            case "to":
                self._look(self._taken(rest, reports=False), step.block)
            case "report":
                address = rest.removeprefix("to").strip()
                self._look(self._taken(address, reports=True), step.block)
            case "refusal":
                self._refusal(rest)
            case "panic":
                if not any(rest in line for line in self.stage.panics):
                    said = " | ".join(self.stage.panics) or "nothing"
                    raise Failed(f"paniclog was to say {rest!r}, and says {said}")
            case _:
                raise Failed("expect to ADDRESS, nothing, refusal, panic or report")

    def _queued(self) -> str:
        return ", ".join(each.address for _, each in self.stage.spool.put_down) or "nobody"

    def _taken(self, address: str, *, reports: bool) -> tuple[Message, Recipient]:
        waiting = self.stage.spool.put_down
        for each in waiting:
            if each[1].address == address and (each[0].sender == "") == reports:
                waiting.remove(each)
                self._last = each
                return each
            if each[1].address == address and not reports:
                waiting.remove(each)
                self._last = each
                return each
        raise Failed(f"mail was to be queued for {address}, and is for {self._queued()}")

    def _refusal(self, wanted: str) -> None:
        found = [str(Reply(each.code, each.text)) for each in self.stage.rejections]
        if not any(each.startswith(wanted) for each in found):
            said = " | ".join(found) or "nothing"
            raise Failed(f"{wanted!r} was to be refused, and refused is {said}")

    def _look(self, found: tuple[Message, Recipient], wanted: list[str]) -> None:
        for line in wanted:
            if line and not line.startswith("#"):
                _holds(line, *found)


def _holds(line: str, message: Message, recipient: Recipient) -> None:
    """Raise Failed unless a line is true of a message."""
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    plain = {
        "binding": recipient.binding,
        "group": recipient.binding_group,
        "domain": recipient.domain,
        "sender": message.sender or "<>",
        "priority": str(message.priority),
        "key": message.fairness_key,
    }
    if word in plain:
        if plain[word] != rest:
            raise Failed(f"{word} was to be {rest!r}, and is {plain[word]!r}")
        return
    draft = Draft(message.body, message.header)
    match word:
        case "header":
            name, _, value = rest.partition(":")
            values = draft.texts(name.strip())
            if value.strip() not in values:
                raise Failed(f"{name} was to be {value.strip()!r}, and is {values}")
        case "no" if rest.startswith("header "):
            name = rest.removeprefix("header ").strip()
            if draft.texts(name):
                raise Failed(f"there was to be no {name}, and it is {draft.texts(name)}")
        case "body":
            if rest.encode() not in draft.body_octets:
                raise Failed(f"the body was to have {rest!r}, and is {draft.body_octets[:200]!r}")
        case "variable" | "session":
            known = context_of(message, recipient)
            known = message.session_variables if word == "session" else known
            name, _, value = rest.partition("=")
            if known.get(name.strip()) != value.strip():
                raise Failed(f"{name.strip()} was to be {value.strip()!r}, and is {known}")
        case _:
            raise Failed(f"{line!r} says nothing about a message")


def _replies(lines: list[str]) -> list[str]:
    """Return the last line of each reply."""
    return [line for line in lines if line[3:4] != "-"]


def _seconds(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        raise Failed(f"{text!r} is no number of seconds") from None
