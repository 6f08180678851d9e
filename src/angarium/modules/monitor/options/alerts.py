"""Options of the modules which call somebody, or do things at set times."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from angarium.config.kinds import (
    Bool,
    Choice,
    Duration,
    Int,
    List,
    Path,
    Percent,
    Raw,
    Secret,
    Text,
    word,
)
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming, Scope
from angarium.modules.options import LEVELS, Module


class Alerting(Module, stanza="alerting"):
    """Tells people when something is wrong with the server, and when it is over."""

    enabled = option(Bool(), True, doc="Whether it looks, and tells.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="What it cannot tell to anybody is in paniclog, always.",
        doc="What it tells about itself in paniclog.",
    )

    alerting_cache_size = option(
        Int(minimum=4096),
        1048576,
        doc="""
        Octets of memory for alerts which are not over or not told yet. When there is no room the
        oldest ones are forgotten.
        """,
    )
    alerting_cache_ttl = option(
        Duration(minimum=1.0),
        3600.0,
        doc="""
        Time for which an alert that was told is not told again, though it comes again or lasts.
        """,
    )
    gather = option(
        Duration(),
        5.0,
        since=OURS,
        doc="Time for which further alerts are waited for before a message goes out.",
    )
    quiet = option(
        Duration(minimum=1.0),
        600.0,
        since=OURS,
        doc="""
        Time without a further one after which an alert is over that has no end of its own, such as
        the death of a worker.
        """,
    )
    check_interval = option(
        Duration(minimum=1.0), 10.0, since=OURS, doc="Time between two looks at the thresholds."
    )
    disk_free = option(
        Percent(),
        10.0,
        since=OURS,
        doc="Free space of a disk with the spool or logs, in percent, below which it is an alert.",
    )
    memory_free = option(
        Percent(),
        5.0,
        since=OURS,
        doc="Available memory of the machine, in percent, below which it is an alert; 0: never.",
    )
    queue_size = option(
        Int(minimum=1),
        None,
        since=OURS,
        example="1000000",
        doc="Recipients in the queues from which on it is an alert; unset: never.",
    )
    log_lag = option(
        Duration(minimum=1.0),
        300.0,
        since=OURS,
        doc="Age of what the logs still lack, from which on it is an alert.",
    )


class Receiver(Options, template=True):
    """Who is told of alerts."""

    kinds = option(
        List(Text(), split=True),
        ("*",),
        since=OURS,
        example='( "disk" "spool" "worker" )',
        doc="""
        The kinds of alerts which are told; * stands for any text, so "*" is all of them. The guide
        about alerts has the list.
        """,
    )
    interval = option(
        Duration(minimum=1.0),
        60.0,
        since=OURS,
        doc="Least time between two messages; what happens meanwhile goes into the next one.",
    )


@dataclass(frozen=True, slots=True)
class Mailbox(Text):
    """user@example.com, in ASCII."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        if not re.fullmatch(r"[!-~]{1,256}", text) or not re.fullmatch(r"[^@<>]+@[^@<>]+", text):
            raise ValueError(f"{text!r} is no address such as user@example.com")
        return text

    def __str__(self) -> str:
        return "address of mail, in ASCII"


class AlertMail(
    Receiver, stanza="alerting.mail", inside=("alerting",), naming=Naming.ALWAYS, since=OURS
):
    """People who get alerts by mail: through our own queue, or a relay where that is at fault."""

    to = option(
        List(Mailbox(), split=True),
        (),
        example="postmaster@example.com",
        doc="Addresses of people.",
    )
    sender = option(
        Mailbox(),
        None,
        name="from",
        example="alerts@example.com",
        doc="Address in the header; unset: angarium at our host name. The envelope has none.",
    )
    relay = option(
        HostPort(),
        None,
        example="relay.example.net:25",
        doc="""
        Another mail server, which is asked to take the message when our own queue does not, or when
        the alert is about the queue itself; unset: there is none.
        """,
    )


@dataclass(frozen=True, slots=True)
class Url(Text):
    """https://, or http:// to this machine itself."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        found = urlsplit(text)
        if not found.hostname or found.scheme not in ("https", "http"):
            raise ValueError(f"{text!r} is no URL such as https://hooks.example.com/alert")
        if found.scheme == "http" and not _loopback(found.hostname):
            raise ValueError("only https:// is safe; http:// may name 127.0.0.1, ::1 or localhost")
        if found.username or found.password:
            raise ValueError("a password may not stand in a URL: use secret, which signs requests")
        return text

    def __str__(self) -> str:
        return "URL, https:// (or http:// to this machine)"


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AlertWebhook(
    Receiver, stanza="alerting.webhook", inside=("alerting",), naming=Naming.ALWAYS, since=OURS
):
    """A web service which gets alerts as JSON, by POST."""

    url = option(
        Url(), None, example="https://hooks.example.com/angarium", doc="Where the request goes."
    )
    secret = option(
        Secret(),
        None,
        example="a-long-random-text",
        doc="""
        Key of the signature in X-Angarium-Signature: t=TIME,v1=HMAC, the HMAC-SHA-256 of
        "TIME.BODY" in hexadecimal; unset: no signature.
        """,
    )
    ca_file = option(
        Path(),
        None,
        example="/etc/angarium/hooks-ca.pem",
        doc="Certificates which are trusted instead of those of the system.",
    )
    timeout = option(Duration(minimum=1.0), 10.0, doc="Time for a request.")


@dataclass(frozen=True, slots=True)
class Program:
    """( "/path/of/program" "argument" ... )."""

    def parse(self, raw: Raw) -> tuple[str, ...]:
        if isinstance(raw, Mapping):
            raise ValueError(  # noqa: TRY004 - what a kind raises
                "a list ( program argument ... ) is expected here"
            )
        words = List(Text()).parse(raw)
        if not words or not words[0].startswith("/"):
            raise ValueError("a program is named by its whole path, without a shell")
        return words

    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}

    def __str__(self) -> str:
        return "list: the whole path of a program, and its arguments"


class AlertCommand(
    Receiver, stanza="alerting.command", inside=("alerting",), naming=Naming.ALWAYS, since=OURS
):
    """A program which is run for alerts and reads them as JSON."""

    program = option(
        Program(),
        None,
        example='( "/usr/local/bin/page" "--team" "mail" )',
        doc="""
        The program and its arguments. No shell is involved; the environment has PATH, LANG and
        ANGARIUM_ALERT (raised, over or test) only.
        """,
    )
    timeout = option(
        Duration(minimum=1.0), 30.0, doc="Time after which the program and what it runs is killed."
    )


class CommandSchedule(
    Module,
    stanza="sched",
):
    """Runs commands of the console at set times."""

    enabled = option(Bool(), True, doc="Whether commands are given when they are due.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="It has nothing to tell about itself but commands that failed, and tells those.",
        doc="What it tells about itself in paniclog.",
    )
    backing_store = option(
        Path(),
        None,
        doc="Database which keeps what is to be run; unset: a restart forgets it.",
        example="/var/lib/angarium/sched.db",
    )
