"""Options of SNMP: the agent which answers, and the traps which are sent unasked."""

from angarium.config.compound import Record
from angarium.config.kinds import Bool, Duration, Int, Secret, Text
from angarium.config.option import Options, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming
from angarium.modules.options import not_yet

ALARMS = "Alarms are in paniclog and in the service log."
QUEUES = ("GlobalMailQueue", "ActiveQueue", "DelayedQueue", "FailedMessages")


class Snmp(
    Options, stanza="snmp", standing=not_yet(ALARMS, loss="nobody answers questions by SNMP")
):
    """Answers questions about queues and traffic by SNMP version 2."""

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
        doc="What a question has to name to be answered. It is sent in clear.",
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


class SnmpTraps(
    Options,
    stanza="snmp_traps",
    standing=not_yet(ALARMS, loss="nobody is told by SNMP of starts, stops and long queues"),
):
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
