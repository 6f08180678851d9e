"""Options of the scanners for spam and pictures, and of what changes content."""

from typing import Final

from angarium.config.kinds import PORT, Bool, Duration, Int, List, Path, Place, Size, Text
from angarium.config.option import Options, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming
from angarium.modules.options import Module, needless, not_yet

UNSCANNED: Final = "mail is not scanned for spam"
LICENSED: Final = "It needs an engine which is licensed by its maker, and which we do not support."


class Wire(Options, template=True):
    """What scanners inside the server have in common."""

    use_wire_rep = option(
        Bool(), True, doc="Scan the octets as they came, instead of with dots and line ends mended."
    )


class SpamAssassin(
    Module,
    stanza="spamassassin",
    direction="receiving",
    since="5.0",
    standing=not_yet("Let a host in front of this server scan it.", UNSCANNED),
):
    """Asks spamd about a message when Lua wants to know."""

    daemon = option(HostPort(), Place("localhost", 783), doc="Where spamd listens.")
    timeout = option(Duration(), 30.0, doc="Time for each read and write.")
    max_size = option(Size(), 51200, doc="Octets of the body it is shown; the rest is left out.")


class Spamc(
    Module,
    stanza="spamc",
    naming=Naming.MAYBE,
    free=True,
    direction="receiving",
    since="3.0",
    standing=needless("Version 5.0 removed it; `spamassassin` has taken its place.", UNSCANNED),
):
    """Asked spamd for Sieve, and was never supported."""


class Brightmail(
    Module,
    stanza="brightmail",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """Asks a server of Symantec Brightmail about each message."""

    server = option(HostPort(), None, doc="Where it listens.", example="192.0.2.20:41111")
    idle_timeout = option(
        Duration(), None, doc="Time for which an idle connection is kept.", example="60"
    )
    max_messages_per_connection = option(
        Int(), 0, doc="Messages of one connection; 0 has no limit."
    )
    max_size = option(
        Size(), None, doc="Octets of a message which the server is sent.", example="2048"
    )
    max_tries = option(Int(), None, doc="Attempts to connect.", example="3")
    num_workers = option(
        Int(), None, doc="Threads which ask; with 0 all else waits for the answer.", example="10"
    )
    sieve_mode = option(
        Bool(), None, doc="Scan only what a script wants to be scanned.", example="true"
    )
    sieve_prefix = option(
        Text(), "brightmail", doc="What the names of its context variables begin with."
    )
    timeout = option(Duration(), None, doc="Time the server has for an answer.", example="15")


class Beik(
    Wire,
    Module,
    stanza="beik",
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """Scans with the engine of Brightmail inside the server, when a script wants it."""

    accum_pool = option(Text(), "IO", doc="Pool of threads in which a message is gathered.")
    scan_pool = option(Text(), "CPU", doc="Pool of threads in which it is scanned.")
    bmiconfig_path = option(
        Path(),
        "/opt/msys/3rdParty/symantec/beik/etc/bmiconfig.xml",
        doc="Configuration of the engine.",
    )
    header_padding = option(
        Size(), 512, doc="Octets which are kept free for fields that come later."
    )


class Cloudmark(
    Wire,
    Module,
    stanza="cloudmark",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """Scans with the engine of Cloudmark inside the server."""

    minimumscore = option(
        Int(), None, doc="Score from which a message is taken for spam.", example="80"
    )
    max_body_length = option(
        Size(), None, doc="Octets of the body which are looked at; unset: all.", example="65536"
    )


class Commtouch(
    Module,
    stanza="commtouch_ctasd",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """Asks the daemon of Commtouch, later Cyren, about each message."""

    host = option(Text(), "127.0.0.1", doc="Where the daemon runs.")
    port = option(PORT, 8088, doc="Port of the daemon.")
    concurrency = option(Int(), 10, doc="Threads which ask; 0 asks nothing.")


class Eleven(
    Module, stanza="eleven", direction="receiving", standing=needless(LICENSED, UNSCANNED)
):
    """Scans with eXpurgate, by eleven."""

    enable_antivir = option(Bool(), False, doc="Look for viruses too.")
    license = option(Path(), "/usr/local/eleven/etc/client.key", doc="File of the licence.")
    servers = option(
        List(Text()),
        (),
        doc="Servers of updates, host:port:priority; 55555 and 5 where they are left out.",
        example="( a.example.com:55555:1 b.example.com )",
    )
    update_period = option(Duration(), 3600.0, doc="Time between updates; 0 is never.")
    work_dir = option(Path(), "/var/tmp", doc="Directory of temporary files.")


class ImageAnalyzer(
    Module,
    stanza="imageanalyzer",
    naming=Naming.MAYBE,
    direction="receiving",
    since="3.0.23",
    standing=needless(LICENSED, "pictures are not scanned"),
):
    """Scores the pictures of a message."""

    engine_sensitivity = option(Int(0, 100), 65, doc="How sensitive the engine is.")
    threshold_suspect = option(Int(), 50, doc="Score from which a picture is suspect.")
    threshold_highly_suspect = option(Int(), 74, doc="Score from which it is highly suspect.")


class Disclaimer(
    Module,
    stanza="disclaimer",
    naming=Naming.MAYBE,
    direction="both",
    since="3.0",
    standing=not_yet(
        "Footers are added by Sieve, which does not run.", "no footer is added to any message"
    ),
):
    """Lets Sieve add a footer to the parts of a message which have text."""


class Icu(
    Module,
    stanza="icu",
    standing=needless("Python has the character sets; there is nothing to load."),
):
    """Converts character sets."""
