"""What the connections of a line share, in one generation of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from angarium.events.stages import Stages
from angarium.net.sweep import Sweep
from angarium.outbound.attempt import Results
from angarium.outbound.demands import UNWANTED, Wanted
from angarium.outbound.logins import HostLogins
from angarium.outbound.options import Transport
from angarium.outbound.terms import IN_CLEAR, Terms
from angarium.queue.entry import UNREAD, Note
from angarium.queue.line import Line
from angarium.wire.smtp_transaction import Stage


@dataclass(frozen=True, slots=True)
class Means:
    """What a connection is made with."""

    line: Line
    options: Transport
    results: Results
    sweep: Sweep
    patience: Mapping[Stage, float]  # how long the answer at each stage is waited for
    unsent: int = 32768  # octets which wait for a host to take them
    note: Note = UNREAD
    stages: Stages = field(default_factory=Stages)
    wanted: Wanted = UNWANTED  # which demands of domains are heard
    terms: Terms = IN_CLEAR  # of TLS
    logins: HostLogins = field(default_factory=HostLogins)
