"""Options of SNMP: the agent which answers, and the traps which are sent unasked."""

from angarium.config.compound import Record
from angarium.config.kinds import Bool, Choice, Duration, Int, Secret, Text, word
from angarium.config.kinds import Raw as RawValue
from angarium.config.option import OURS, Options, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming

QUEUES = ("GlobalMailQueue", "ActiveQueue", "DelayedQueue", "FailedMessages")
AUTHENTICATION = ("none", "md5", "sha", "sha224", "sha256", "sha384", "sha512")
PRIVACY = ("none", "des", "aes", "aes192", "aes256")
LEAST_SECRET = 8  # characters, RFC 3414 section 11.2


class Snmp(Options, stanza="snmp"):
    """Answers questions about queues and traffic by SNMP: versions 1 and 2c, and 3 with users."""

    state = option(Bool(), True, dynamic=False, doc="Whether there is an agent.")
    address = option(
        HostPort(bound=True),
        None,
        dynamic=False,
        example='"*:8162"',
        doc="Address and UDP port of the agent; * is every address of this machine.",
    )
    community = option(
        Secret(),
        "public",
        dynamic=False,
        doc="""
        What a question of version 1 or 2c has to name to be answered. It is sent in clear; empty:
        these versions are not answered.
        """,
        example="monitoring",
    )
    syscontact = option(
        Text(),
        None,
        dynamic=False,
        example="postmaster@example.com",
        doc="Answer to who is responsible for this machine.",
    )
    syslocation = option(
        Text(), None, dynamic=False, example='"rack 7"', doc="Answer to where it is."
    )
    sysdescription = option(
        Text(), None, dynamic=False, example="mta01", doc="Answer to what it is."
    )


class Passphrase(Secret):
    """A secret of at least 8 characters, from which keys are made."""

    def parse(self, raw: RawValue) -> str:
        if len(word(raw)) < LEAST_SECRET:
            raise ValueError(f"a secret of SNMP has at least {LEAST_SECRET} characters")
        return Secret.parse(self, raw)


class User(Options, template=True):
    """Who may ask, or is told, by SNMP version 3; the name is that of the user."""

    authentication = option(
        Choice(AUTHENTICATION),
        "sha256",
        dynamic=False,
        since=OURS,
        doc="How messages are signed; none: anybody may say to be this user.",
    )
    authentication_secret = option(
        Passphrase(),
        None,
        dynamic=False,
        since=OURS,
        example='"a long text of words"',
        doc="What the key of signatures is made of; unset: there is no signature.",
    )
    privacy = option(
        Choice(PRIVACY),
        "aes",
        dynamic=False,
        since=OURS,
        doc="How messages are encrypted; only those which are signed can be.",
    )
    privacy_secret = option(
        Passphrase(),
        None,
        dynamic=False,
        since=OURS,
        example='"another long text of words"',
        doc="What the key of encryption is made of; unset: that of signatures.",
    )


class SnmpUser(User, stanza="snmp.user", inside=("snmp",), naming=Naming.ALWAYS, since=OURS):
    """Who may ask by SNMP version 3; the name is that of the user."""


class SnmpTraps(Options, stanza="snmp_traps"):
    """Tells of starts, stops and long queues by SNMP, unasked."""

    state = option(Bool(), False, dynamic=False, doc="Whether traps are sent.")
    watch_interval = option(
        Duration(minimum=1.0), 10.0, doc="Time between two looks at the queues."
    )
    trap_interval = option(
        Duration(minimum=1.0),
        60.0,
        dynamic=False,
        doc="Time between two traps about a queue which stays long.",
    )
    watch_variables = option(
        Record({each: Int() for each in QUEUES}),
        None,
        dynamic=False,
        example="[ ActiveQueue = 10000 DelayedQueue = 10000 ]",
        doc="Messages in a queue, or failed ones, from which a trap is sent.",
    )


class Destination(Options, template=True):
    """Who gets the traps."""

    community = option(
        Secret(), "Public", doc="What the receiver knows us by.", example="monitoring"
    )
    user = option(
        Text(),
        None,
        dynamic=False,
        since=OURS,
        example="watcher",
        doc="A user stanza of snmp_traps: traps are sent by version 3, as this user; unset: by 2c.",
    )


class TrapDestination(
    Destination,
    stanza="snmp_traps.destination",
    inside=("snmp_traps",),
    naming=Naming.ALWAYS,
):
    """One receiver of traps; the name is its address and UDP port."""


class TrapDestinationByTable(
    Destination,
    stanza="snmp_traps.trap_destination",
    inside=("snmp_traps",),
    naming=Naming.ALWAYS,
):
    """As destination, by the name in the manual's table."""


class TrapUser(
    User, stanza="snmp_traps.user", inside=("snmp_traps",), naming=Naming.ALWAYS, since=OURS
):
    """Whom destinations know us as, by SNMP version 3."""
