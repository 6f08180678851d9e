"""Options of the server as a whole: its name, its identity, its processes."""

import re

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Path, Raw, Text
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.places import Hostname
from angarium.config.scope import Naming, Scope
from angarium.queue.spool.options import Spooling

SUBSYSTEMS = (
    "ERROR", "TIME", "FD", "SMTP", "LOG1", "DANE", "DNS", "DNSDS", "MTA_STS", "NET", "SIG", "MEM",
    "DB", "LIC", "SSL", "MOD", "START", "ALL",
)  # fmt: skip


class Capabilities(Text):
    """As cap_from_text has it: names, an operator and flags."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        names = r"(?:all|cap_[a-z_]+(?:,cap_[a-z_]+)*)?"
        clause = rf"{names}(?:[=+-][eip]*)+"
        if not re.fullmatch(rf"{clause}(?: +{clause})*", text.strip(), re.IGNORECASE):
            raise ValueError(f"{text!r} is no set of capabilities, such as cap_net_bind_service+ep")
        return text

    def __str__(self) -> str:
        return "capabilities, such as cap_net_bind_service+ep"


class Node(Options, direction="both"):
    """The server as a whole."""

    hostname = option(
        Hostname(),
        None,
        scopes=Scope.GLOBAL,
        doc="Our name, in banners, EHLO, Received and reports. Unset: the system's.",
    )
    pidfile = option(
        Path(),
        "/var/run/ecelerity.pid",
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        doc="File which gets the number of the supervisor's process; left out with --state.",
    )
    spoolbase = Spooling.spoolbase
    server_max_file_descriptors = option(
        Int(minimum=64),
        3000000,
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        doc="Files and sockets all processes may have open; the system may allow fewer.",
    )
    shutdown_timeout = option(
        Duration(),
        30.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long a stop waits for sessions and attempts which are under way.",
    )
    upgrade_timeout = option(
        Duration(),
        30.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long old workers finish attempts under way when new ones replace them.",
    )
    command_timeout = option(
        Duration(minimum=0.1),
        2.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        How long a worker may take to answer, at a reload or to a console command, before it is
        named as the one that is waited for.
        """,
    )
    control_client_timeout = option(
        Duration(),
        60.0,
        scopes=Scope.GLOBAL,
        direction="na",
        doc="How long our own console clients wait for an answer; 0: for ever.",
    )
    watchdog_interval = option(
        Duration(),
        60.0,
        scopes=Scope.GLOBAL,
        direction="na",
        since="3",
        doc="""
        How long a process may be stuck, in seconds, before it is ended with a trace of where it was
        and started again; 0: for ever, and less than 3 is 3. Time in which the machine sleeps does
        not count.
        """,
    )
    crash_limit = option(
        Int(minimum=1),
        2,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Crashes of a worker on one message after which the message is put aside.",
    )
    accept_unknown = option(
        List(Text(), split=True),
        (),
        scopes=Scope.GLOBAL,
        direction="na",
        since=OURS,
        doc="Stanzas we do not know (modules of your own) which are noted instead of refused.",
        example="( acme_logger )",
    )
    match_cache_size = option(
        Int(minimum=1),
        16384,
        scopes=Scope.GLOBAL,
        direction="na",
        doc="Places (domain and binding, client address) whose options are kept resolved.",
    )
    match_cache_life = accepted(
        Duration(),
        0.0,
        direction="na",
        reason="What is kept belongs to one configuration and cannot grow old.",
        doc="How long they are kept at most; 0 is no limit.",
    )
    timestampformat = option(
        Text(),
        "[%a %d %b %Y %H:%M:%S] ",
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        doc="""
        How lines of the service log begin on a terminal, as strftime has it. Elsewhere each is a
        JSON object with a field `timestamp`, by ISO 8601 and in UTC.
        """,
    )
    log_hires_timestamp = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        since="5.3",
        doc="Times in log files have microseconds.",
    )
    license = accepted(
        Path(),
        "/opt/msys/ecelerity/etc/license",
        direction="na",
        dynamic=False,
        reason="Angarium needs no licence.",
        doc="The licence file.",
    )


class Security(Options, stanza="security"):
    """Who the processes are once the sockets are open. Every change needs a restart."""

    user = option(
        Text(),
        "ecuser",
        dynamic=False,
        doc="User to become when started as root.",
    )
    group = option(
        Text(),
        "ecuser",
        dynamic=False,
        doc="Group to become when started as root.",
    )
    supplemental_groups = option(
        List(Text(), split=True),
        None,
        dynamic=False,
        doc="Further groups; unset: none.",
        example="( mail adm )",
    )
    capabilities = option(
        Capabilities(),
        None,
        dynamic=False,
        doc="""
        What the supervisor keeps of root. Of use is cap_net_bind_service+ep, by which a reload may
        listen on a new port below 1024; nothing else is kept, whatever is named. Workers have
        none. After an upgrade it is gone: then a new low port needs a restart.
        """,
        example="cap_net_bind_service+ep",
    )
    privileges = accepted(
        Text(),
        None,
        scopes=Scope.OWN,
        dynamic=False,
        since="3",
        reason="These are privileges of Solaris, on which version 4 and this server do not run.",
        doc="Privileges of Solaris which are kept.",
        example="basic",
    )
    chroot = option(
        Path(),
        None,
        dynamic=False,
        doc="""
        Directory to confine the processes to. All other paths are meant inside of it, and a whole
        installation has to be there: Python, Angarium, the configuration for reloads, /proc, /dev
        and /etc/resolv.conf. Only root can do it; anybody else is refused the start.
        """,
        example="/var/lib/angarium/root",
    )


class EventLoop(Options, stanza="eventloop", naming=Naming.MAYBE, direction="both"):
    """Worker processes."""

    concurrency = option(
        Int(minimum=1, maximum=64),
        None,
        dynamic=False,
        doc="Workers; unset: one for each core. May change at any start, with mail queued.",
    )


PARTS = List(Choice(SUBSYSTEMS), split=True)


class DebugFlags(Options, stanza="debug_flags"):
    """What the paniclogs tell, by level and part of the server.

    The service log on standard error has all of it, whatever stands here. START is what tells of
    starts, reloads and ends, TIME what ends a process that is stuck, DB the spool, ERROR whatever
    is left; the other parts have nothing of their own to tell.
    """

    debug = accepted(
        PARTS,
        (),
        scopes=Scope.OWN,
        reason="Nothing is told at this level; what happens to mail is in the event streams.",
        doc="Parts which tell what helps to find a fault.",
        example="( SMTP )",
    )
    info = option(
        PARTS,
        (),
        doc="Parts which tell what they do.",
        example="( SMTP DNS )",
    )
    notice = accepted(
        PARTS,
        (),
        scopes=Scope.OWN,
        reason="Nothing is told at this level: it is info, or a warning.",
        doc="Parts which tell what is normal and of note.",
        example="( ALL )",
    )
    warning = option(
        PARTS,
        (),
        doc="Parts which tell what may go wrong.",
        example="( ALL )",
    )
    error = option(PARTS, ("ALL",), doc="Parts which tell what went wrong and goes on.")
    critical = option(
        PARTS,
        ("ALL",),
        doc="Parts whose faults are told: full disks, damage, what holds up mail.",
    )


class DebugThrottle(Options):
    """How often the same goes to the paniclogs."""

    debug_throttle_max_num_same_message = option(
        Int(),
        0,
        scopes=Scope.GLOBAL,
        since="5.2",
        doc="""
        How often the same text (whatever its fields say) is written to the paniclogs in
        debug_throttle_period_secs; 0: always. Warnings and what is worse are never held back by
        it. Faults which a worker tells again and again come once a minute anyway.
        """,
    )
    debug_throttle_period_secs = option(
        Duration(maximum=60.0),
        1.0,
        scopes=Scope.GLOBAL,
        since="5.2",
        doc="The time in which debug_throttle_max_num_same_message counts, 60 seconds at most.",
    )


class Sink(Options, stanza="sink", direction="receiving"):
    """A receiving server for trying things out, run beside this one.

    Mail gets there by a domain stanza with routes, as to any other host.
    """

    listen = option(
        Text(),
        "127.0.0.1:2526",
        since=OURS,
        dynamic=False,
        doc="Address and port the sink listens on.",
    )
    record = option(
        Path(),
        None,
        since=OURS,
        dynamic=False,
        doc="Directory which gets every message byte for byte; unset: they are only counted.",
        example="/tmp/angarium/received",
    )
    script = option(
        Path(),
        None,
        since=OURS,
        dynamic=False,
        doc="File which says how the sink answers; unset: it takes everything.",
        example="examples/sinks/slow.sink",
    )
