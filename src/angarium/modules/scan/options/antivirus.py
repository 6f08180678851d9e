"""Options of the scanners for viruses: the frame, and the engines which stand in it."""

from typing import Final

from angarium.config.kinds import Bool, Choice, Duration, Int, Path, Size, Text
from angarium.config.option import Options, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming
from angarium.modules.options import Module, needless, not_yet

UNSCANNED: Final = "mail is not scanned for viruses"
LICENSED: Final = "It needs an engine which is licensed by its maker, and which we do not support."
SCAN_BEFORE: Final = "Let a host in front of this server scan it."


class Scanning(Options, template=True):
    """What all engines can be told."""

    action = option(
        Choice(("reject", "pass")),
        None,
        doc="What becomes of mail in which something is found. `reject` also refuses what cannot"
        " be scanned; `pass` leaves it to policy.",
        example="reject",
    )
    cache_size = option(Int(), 1000, doc="Known viruses which are remembered.")
    context_variable = option(
        Text(),
        "<engine>_status",
        doc="Context variable which is set when something is found or goes wrong. The name with"
        " _info after it has the virus.",
    )
    error_code = option(
        Int(200, 599), 451, doc="Code of the reply where a message could not be scanned."
    )
    file_base = option(Path(), None, doc="Directory of temporary files.", example="/var/tmp")
    max_concurrency = option(Int(), 0, doc="Scans at a time; 0 is as many as the pool has threads.")
    mime_decompose = option(Bool(), False, doc="Scan the parts of a message one by one.")
    paranoid = option(
        Bool(), False, doc="Take mail which hides its content from scanners for infected."
    )
    pool = option(Text(), None, doc="Pool of threads in which it is scanned.", example="IO")
    skip_context_variable = option(
        Text(), "skip_virus_check", doc="Context variable which keeps a message from being scanned."
    )
    timeout = option(Duration(), 10.0, doc="Time the engine has for a message.")
    use_wire_rep = option(
        Bool(), True, doc="Scan the octets as they came, instead of with dots and line ends mended."
    )


class Antivirus(
    Scanning,
    Module,
    stanza="antivirus",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=not_yet(SCAN_BEFORE, UNSCANNED),
):
    """The frame of the scanners for viruses: what is set here holds for the engines inside."""


class ClamavScanning(Scanning, template=True):
    """What the engine ClamAV can be told."""

    context_variable = option(
        Text(),
        "clamav_status",
        doc="Context variable which is set when something is found or goes wrong. The name with"
        " _info after it has the virus.",
    )
    daemon = option(HostPort(), None, doc="Where clamd listens.", example="127.0.0.1:3310")


class Clamav(
    ClamavScanning,
    Module,
    stanza="clamav",
    direction="receiving",
    standing=not_yet(SCAN_BEFORE, UNSCANNED),
):
    """The scanner ClamAV, by its daemon. Here it is loaded; in `antivirus` it is set up."""


class ClamavEngine(
    ClamavScanning,
    Module,
    stanza="antivirus.clamav",
    inside=("antivirus",),
    naming=Naming.MAYBE,
    direction="receiving",
):
    """ClamAV as an engine of `antivirus`."""


class CsapiScanning(Scanning, template=True):
    """What the engine of Symantec can be told."""

    context_variable = option(
        Text(),
        "csapi_status",
        doc="Context variable which is set when something is found or goes wrong. The name with"
        " _info after it has the virus.",
    )
    max_concurrency = option(Int(), 1, doc="Threads of the scanning process.")
    max_cumulative_extract_size = option(
        Size(maximum=2147483648), 0, doc="Octets extracted of all files; 0 stands for 209715200."
    )
    max_extract_depth = option(Int(1, 50), 10, doc="Archives inside of archives.")
    max_extract_size = option(Size(), 104857600, doc="Octets of one extracted file.")
    max_extract_time = option(Duration(), 180.0, doc="Time for extracting; 0 has no limit.")
    max_file_count = option(Int(), 5000, doc="Files of a message; 0 has no limit.")
    prefer_mem = option(Bool(), None, doc="Does nothing in Momentum either.", example="false")
    scanner_log = option(Path(), "/var/log/ecelerity/csapi.log", doc="Log of the scanning process.")
    scanner_path = option(Path(), "/opt/msys/ecelerity/sbin/ec_avscan", doc="Program which scans.")
    update_interval = option(Duration(), 86400.0, doc="Time between updates of the definitions.")


class Csapi(
    CsapiScanning,
    Module,
    stanza="csapi",
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """The scanner of Symantec, in a process beside the server."""


class CsapiEngine(
    CsapiScanning,
    Module,
    stanza="antivirus.csapi",
    inside=("antivirus",),
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(LICENSED, UNSCANNED),
):
    """Symantec's scanner as an engine of `antivirus`."""


class Fsecure(
    Scanning,
    Module,
    stanza="av_fsecure",
    naming=Naming.MAYBE,
    direction="receiving",
    since="3.0",
    standing=needless(LICENSED, UNSCANNED),
):
    """The scanner of F-Secure; version 3.1 stopped to support it."""

    daemon = option(
        Path(),
        None,
        doc="Socket of its daemon; unset: /tmp/.fsav- and the number of the user.",
        example="/tmp/.fsav-65534",
    )
