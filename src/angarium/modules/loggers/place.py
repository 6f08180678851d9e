"""Where a log goes, as it is written: a path, or a kind with :// before it.

/var/log/mainlog, file:///var/log/mainlog      a file
jlog:///var/log/queue=>reader, cluster://...   a jlog, and its first subscriber
pipe:///usr/bin/program?arg1=-x&env1=A=b       the standard input of a program
syslog://?facility=mail&priority=error         the system log
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from angarium.events.jlog import SUBSCRIBER

FILE: Final = "file"
JLOG: Final = "jlog"
PIPE: Final = "pipe"
SYSLOG: Final = "syslog"
KINDS: Final = {"file": FILE, "jlog": JLOG, "cluster": JLOG, "pipe": PIPE, "syslog": SYSLOG}

FACILITIES: Final = {
    name: number
    for number, name in enumerate(
        "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp".split()
    )
} | {f"local{number}": 16 + number for number in range(8)}
PRIORITIES: Final = {
    name: number
    for number, name in enumerate("emerg alert crit err warning notice info debug".split())
} | {"panic": 0, "error": 3, "warn": 4}

_OF_PIPES: Final = ("clear_env", "reinvoke", "shutdown_on_failure")


@dataclass(frozen=True, slots=True)
class Place:
    """A destination, taken apart; what is not said is ""."""

    kind: str
    path: str
    subscriber: str = SUBSCRIBER
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    clear_env: bool = False
    reinvoke: bool = True
    facility: str = ""
    priority: str = "error"


def parse(text: str) -> Place:
    """Return where a log goes.

    Raises:
        ValueError: there is no such kind, or no such parameter of it.
    """
    kind, slashes, rest = text.partition("://")
    if not slashes:
        return Place(FILE, text)
    match KINDS.get(kind):
        case "file":
            return Place(FILE, rest)
        case "jlog":
            path, arrow, subscriber = rest.partition("=>")
            if not path.strip("/") or (arrow and not subscriber):
                raise ValueError(f"{text!r} is no jlog such as jlog:///var/log/queue=>reader")
            # The manual has it with two slashes and with three; both are the path from the root.
            return Place(JLOG, "/" + path.lstrip("/"), subscriber or SUBSCRIBER)
        case "pipe":
            return _pipe(text, rest)
        case "syslog":
            return _syslog(text, rest)
    raise ValueError(f"{kind}:// is no kind of log destination: {', '.join(KINDS)}, or a path")


def _pipe(text: str, rest: str) -> Place:
    path, _, query = rest.partition("?")
    arguments: dict[int, str] = {}
    environment, flags = {}, {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.startswith("arg") and name[3:].isdecimal():
            arguments[int(name[3:])] = value
        elif name.startswith("env") and name[3:].isdecimal() and "=" in value:
            variable, _, content = value.partition("=")
            environment[variable] = content
        elif name in _OF_PIPES and value in ("0", "1"):
            flags[name] = value == "1"
        else:
            raise ValueError(f"{name}={value} says nothing about a pipe")
    if not path.startswith("/"):
        raise ValueError(f"{text!r} is no program with its path, such as pipe:///usr/bin/program")
    return Place(
        PIPE,
        unquote(path),
        arguments=tuple(arguments[number] for number in sorted(arguments)),
        environment=environment,
        clear_env=flags.get("clear_env", False),
        reinvoke=flags.get("reinvoke", True),
    )


def _syslog(text: str, rest: str) -> Place:
    path, _, query = rest.partition("?")
    known = {"facility": FACILITIES, "priority": PRIORITIES}
    said = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if value not in known.get(name, {}):
            raise ValueError(f"{name}={value} says nothing about a system log")
        said[name] = value
    if path and not path.startswith("/"):
        raise ValueError(f"{text!r} is no system log such as syslog://?facility=mail")
    return Place(
        SYSLOG, path, facility=said.get("facility", ""), priority=said.get("priority", "error")
    )
