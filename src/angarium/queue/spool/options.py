"""Options of the spool: how mail is kept on disk."""

from angarium.config.kinds import Bool, Duration, Int, Mode, Path, Size
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.scope import Scope


class Spooling(Options, direction="both"):
    """How mail is kept on disk."""

    spoolbase = option(
        Path(),
        "/var/spool/ecelerity",
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        doc="The directory of the spool.",
    )
    spool_mode = option(
        Mode(),
        0o640,
        scopes=Scope.GLOBAL,
        direction="na",
        dynamic=False,
        doc="The mode of files of the spool.",
    )
    force_fsync = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        direction="receiving",
        doc="""
        Answer 250 only when the message is on the disk. Momentum's default is false: there a power
        cut loses accepted mail.
        """,
    )
    unsafe_spool = option(
        Bool(),
        False,
        name="_unsafe_spool",
        scopes=Scope.GLOBAL,
        direction="na",
        doc="""
        Answer 250 as soon as a message is in memory, and write it afterwards: what was accepted in
        the last moment is lost when the process dies. While the disk is behind, clients wait for
        it all the same. Reports we make ourselves are always on the disk first.
        """,
    )
    unlink_on_spool_in_failure = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        direction="receiving",
        doc="""
        End what cannot be read, as failed (550 5.3.0), with nobody told. The default is to put it
        aside where it can be looked at; Momentum's is to delete.
        """,
    )
    large_message_threshold = option(
        Size(minimum=4096),
        131072,
        scopes=Scope.GLOBAL,
        doc="""
        A message with more octets is written to a file of its own while it arrives, and is read
        by pieces; a smaller one is kept whole.
        """,
    )
    spool_segment_size = option(
        Size(minimum=1 << 20, maximum=1 << 31),
        64 << 20,
        scopes=Scope.GLOBAL,
        since=OURS,
        dynamic=False,
        doc="Octets of one file of the spool's logs.",
    )
    spool_reserve = option(
        Size(),
        16 << 20,
        scopes=Scope.GLOBAL,
        since=OURS,
        dynamic=False,
        doc="""
        Octets which each shard of the spool sets aside, so that the end of messages can be
        recorded on a disk which is full.
        """,
    )
    spool_space_low = option(
        Size(),
        256 << 20,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        With less free space than this on the disk of the spool no mail is taken in (452 4.3.1);
        deliveries go on. It is taken in again at one and a half of it. The disk is looked at once
        a second.
        """,
    )
    spool_inodes_low = option(
        Int(),
        1000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="As spool_space_low, for free inodes; file systems which have no count are left alone.",
    )
    log_space_low = option(
        Size(),
        64 << 20,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        With less free space than this on the disk of a log no mail is taken in (452 4.3.1): what
        cannot be recorded is not begun. Event streams lie in the spool.
        """,
    )
    log_inodes_low = option(
        Int(),
        100,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="As log_space_low, for free inodes.",
    )
    state_sync_interval = option(
        Duration(maximum=60.0),
        0.1,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        The longest time after which the end of a message is on the disk, and so how much a power
        cut can send twice. Mail which comes in is always synced before its 250.
        """,
    )
    checkpoint_interval = option(
        Duration(minimum=1.0),
        60.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Time between two checkpoints of a shard; a restart reads what came after the last.",
    )
    event_retention = option(
        Duration(minimum=60.0),
        604800.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long event streams are kept for readers which want to replay them.",
    )
    event_retention_size = option(
        Size(minimum=1 << 20),
        1 << 30,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Octets of each event stream which are kept at most.",
    )
    use_mmap = accepted(
        Bool(),
        False,
        direction="na",
        reason="Contents are read from the spool by pieces, with pread.",
        doc="Map contents from the disk into memory.",
    )
