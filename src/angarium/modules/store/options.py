"""Options of the modules which change how octets are kept, and of mailboxes and programs."""

from typing import Final

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Mode, Path, Size, Table, Text
from angarium.config.option import option
from angarium.config.places import DomainGlob
from angarium.config.scope import Naming
from angarium.modules.options import Module, Wrapper, needless, not_yet

NO_URI: Final = "Files are read from the disk of this machine only."


class CompressSpool(
    Module,
    stanza="compress_spool",
    direction="receiving",
    standing=not_yet("Messages are spooled as they are; a file system can compress them."),
):
    """Compresses large messages in the spool."""

    compress = option(Choice(("gzip", "bzip2")), "gzip", doc="How they are compressed.")
    minimum_size = option(Size(), 4096, doc="Octets of the smallest message which is.")
    read_only = option(Bool(), False, doc="Compress none, but read those which are.")


class SuppressSpool(
    Module,
    stanza="suppress_spool",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(
        "Mail is on the disk before its 250, all that waits at a moment with one sync;"
        " `_unsafe_spool` is the way to answer before."
    ),
):
    """Keeps mail in memory until it was attempted some times. A crash loses it."""

    num_retries = option(Int(), None, doc="Retries before a message is spooled.", example="2")


class Gzip(
    Module, stanza="gzipio", standing=needless("The spool is not compressed; it needs no wrapper.")
):
    """Lets files be read and written through gzip."""


class Bzip2(
    Module, stanza="bzip2io", standing=needless("The spool is not compressed; it needs no wrapper.")
):
    """Lets files be read and written through bzip2."""


class HttpIo(Module, stanza="http_io", since="3.0", standing=needless(NO_URI)):
    """Lets files be read from http:// and https://."""


class PersistIo(Module, stanza="persist_io", standing=needless(NO_URI)):
    """Keeps copies of files which come from elsewhere, for when they cannot be had."""

    persist_path = option(Path(), "/var/log/ecelerity/persist", doc="Directory of the copies.")
    dirmode = option(Mode(), 0o700, doc="Mode of the directory.")
    filemode = option(Mode(), 0o600, doc="Mode of the copies.")


class PipeIo(Wrapper, stanza="pipe_io"):
    """Lets logs be written to a program, as pipe:///PROGRAM?arg1=..."""

    output_file = option(
        Path(), None, doc="File of what the program says.", example="/var/log/angarium/pipe.out"
    )
    output_mode = option(Mode(), 0o666, doc="Mode of that file.")
    error_file = option(
        Path(), None, doc="File of its complaints.", example="/var/log/angarium/pipe.err"
    )
    error_mode = option(Mode(), 0o666, doc="Mode of that file.")
    timeout = option(
        Duration(),
        None,
        doc="Time the program has to end after its last line, before it is killed; unset: 10.",
        example="5",
    )


class Maildir(
    Module,
    stanza="maildir",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=not_yet(
        "Let a server which keeps mailboxes take these domains, by `gateway` and LMTP.",
        "mail for its mailboxes would be sent on to the hosts of its domains",
        refused=True,
    ),
):
    """Puts mail for some domains into mailboxes on this machine."""

    basedir = option(Path(), None, doc="Directory of the mailboxes.", example="/var/mail")
    domains = option(
        List(DomainGlob()),
        (),
        doc="Domains whose mail is kept here.",
        example="( example.com example.net )",
    )
    domain = option(
        List(DomainGlob()), (), doc="Another name of `domains`.", example="( example.com )"
    )
    all_domains = option(Bool(), None, doc="Keep the mail of all domains.", example="false")
    domain_in_path = option(
        Bool(), None, doc="Keep each domain in a directory of its own.", example="true"
    )
    create_users = option(
        Bool(),
        None,
        doc="Make a mailbox where there is none; else the message is refused.",
        example="true",
    )
    createusers = option(Bool(), None, doc="Another name of `create_users`.", example="true")
    dirmode = option(Mode(bare=True), None, doc="Mode of directories it makes.", example="0770")
    filemode = option(Mode(bare=True), None, doc="Mode of files it makes.", example="0660")


class PipeTransport(
    Module,
    stanza="pipe_transport",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=not_yet(
        "Let an LMTP server which runs the program take these domains, by `gateway`.",
        "mail for its program would be sent on to the hosts of its domains",
        refused=True,
    ),
):
    """Gives mail for some domains to a program while it is received."""

    program_name = option(
        Path(), None, doc="Path of the program.", example="/usr/local/bin/deliver"
    )
    domain = option(
        List(DomainGlob()), (), doc="Domains whose mail it gets.", example="( example.com )"
    )
    code = option(
        Table(Text()),
        {},
        doc="Exit status to reply; without, 0 is 250 and all else 504.",
        example='[ 111 = "450 try again later" ]',
    )
    output_file = option(Path(), "/dev/null", doc="File of what it says.")
    error_file = option(Path(), "/dev/null", doc="File of its complaints.")
