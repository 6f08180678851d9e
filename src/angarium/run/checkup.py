"""What keeps a machine from sending mail well: one function for each thing `doctor` looks at.

Each returns Findings and changes nothing; `disk` writes a file of 80 KB and removes it. What needs
the network stands in `checkup_network`. Where a limit has a number, the number has its reason.
"""

import ctypes
import enum
import errno
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


class Verdict(enum.Enum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


OK, WARN, FAIL, SKIPPED = Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` says what to do, and is empty if all is well."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


# Descriptors.

# Below this not even one busy destination and its sessions fit; Debian's default soft limit.
LEAST_DESCRIPTORS: Final = 1024
PER_CONNECTION: Final = 4  # the manual: at least four times server_max_outbound_connections


def descriptors(hard: int, workers: int, connections: int | None) -> Finding:
    """Judge RLIMIT_NOFILE, which holds for each worker, by the connections all may open."""
    wanted = LEAST_DESCRIPTORS
    if connections is not None:
        wanted = max(wanted, PER_CONNECTION * connections // max(workers, 1))
    found = f"{hard} for each process; {workers} workers want {wanted} each"
    if hard >= wanted:
        return Finding("descriptors", OK, found)
    advice = (
        f"raise the limit: LimitNOFILE={wanted} in the systemd unit, or in"
        " /etc/security/limits.conf; or lower server_max_outbound_connections"
    )
    return Finding("descriptors", FAIL if hard < LEAST_DESCRIPTORS else WARN, found, advice)


# Network settings of the kernel.

# Linux's own default, 32768 to 60999: one source address has so many connections to one host,
# TIME_WAIT included, which is 470 new ones a second.
DEFAULT_PORTS: Final = 28232
FEW_PORTS: Final = 5000


def ports(listening: Iterable[int], proc: Path = PROC) -> list[Finding]:
    """Judge the range of ephemeral ports, and whether we listen within it."""
    low, high = map(int, (proc / "sys/net/ipv4/ip_local_port_range").read_text().split())
    count = high - low + 1
    found = f"{low} to {high}: {count} connections of one address to one host"
    advice = "sysctl -w net.ipv4.ip_local_port_range='10240 65535'"
    verdict = OK if count >= DEFAULT_PORTS else WARN if count >= FEW_PORTS else FAIL
    findings = [Finding("ephemeral ports", verdict, found, "" if verdict is OK else advice)]
    reserved = (proc / "sys/net/ipv4/ip_local_reserved_ports").read_text().strip()
    taken = sorted(each for each in set(listening) if low <= each <= high)
    unsafe = [each for each in taken if not _within(each, reserved)]
    if unsafe:
        names = ",".join(map(str, unsafe))
        findings.append(
            Finding(
                "listening ports",
                WARN,
                f"port {names} may be taken by an outgoing connection before we listen on it",
                f"sysctl -w net.ipv4.ip_local_reserved_ports={names}",
            )
        )
    return findings


def _within(port: int, ranges: str) -> bool:
    for each in filter(None, ranges.split(",")):
        low, _, high = each.partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False


def backlog(wanted: int, proc: Path = PROC) -> Finding:
    """Judge somaxconn, which cuts off what `listen_backlog` asks for."""
    allowed = int((proc / "sys/net/core/somaxconn").read_text())
    found = f"the system allows {allowed} waiting connections, listen_backlog wants {wanted}"
    if allowed >= wanted:
        return Finding("accept backlog", OK, found)
    return Finding("accept backlog", WARN, found, f"sysctl -w net.core.somaxconn={wanted}")


# Disk.

# Does not keep what it was given when the machine stops, or says it has when it has not.
VOLATILE: Final = {"tmpfs", "ramfs", "overlay"}
REMOTE: Final = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "glusterfs", "fuse.glusterfs"}
LEAST_FREE: Final = 1 << 30  # octets: the reserves of a few shards and some hours of a full queue
LEAST_INODES: Final = 10_000
SYNCS: Final = 20
BLOCK: Final = 4096
# Seconds. A group commit waits for one sync: at 10 ms one session at a time gets 100 a second.
SLOW_SYNC: Final = 0.010
BAD_SYNC: Final = 0.100


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def filesystem(folder: Path, mounts: Path = PROC / "self/mountinfo") -> list[Finding]:
    """Judge where the spool lies: kind of file system, options, room, permission."""
    place = existing(folder)
    kind, options = _mounted(place, mounts.read_text())
    shown = f"{folder} on {kind}" if place == folder else f"{folder} (to be made) on {kind}"
    findings = []
    if "nobarrier" in options or "barrier=0" in options:
        findings.append(
            Finding(
                "file system",
                FAIL,
                f"{shown}, mounted with nobarrier",
                "mount it with barriers: a power cut would lose accepted mail",
            )
        )
    elif kind in VOLATILE:
        verdict, what = (WARN, "of a container") if kind == "overlay" else (FAIL, "in memory")
        findings.append(
            Finding(
                "file system",
                verdict,
                f"{shown}, which is {what}",
                "put the spool on a disk: queued mail is lost with this one",
            )
        )
    elif kind in REMOTE:
        findings.append(
            Finding(
                "file system",
                WARN,
                f"{shown}, which is remote",
                "put the spool on a local disk: locks and syncs are doubtful there",
            )
        )
    else:
        findings.append(Finding("file system", OK, shown))
    findings.append(_room(place))
    if not os.access(place, os.W_OK | os.X_OK):
        findings.append(
            Finding(
                "permission",
                FAIL,
                f"{place} cannot be written by this user",
                "chown it to the user of the security stanza, or run as that",
            )
        )
    return findings


def _mounted(place: Path, mounts: str) -> tuple[str, set[str]]:
    """Return the type and the options of the file system a path is on."""
    best, kind, options = -1, "unknown", set[str]()
    text = os.path.realpath(place)
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        words, rest = before.split(), after.split()
        if len(words) < 6 or len(rest) < 3:
            continue
        point = words[4].encode().decode("unicode_escape")
        if len(point) >= best and (text + "/").startswith(point.rstrip("/") + "/"):
            best, kind = len(point), rest[0]
            options = set(words[5].split(",")) | set(rest[2].split(","))
    return kind, options


def _room(place: Path) -> Finding:
    stat = os.statvfs(place)
    free, inodes = stat.f_bavail * stat.f_frsize, stat.f_favail
    found = f"{free >> 20} MB and {inodes} inodes free"
    # A file system without a fixed number of inodes, such as btrfs, says 0 of 0.
    if free < LEAST_FREE or (stat.f_files and inodes < LEAST_INODES):
        return Finding("room", WARN, found, "make room: intake stops before the disk is full")
    return Finding("room", OK, found)


def disk(folder: Path, timer: Callable[[], float] = time.perf_counter) -> Finding:
    """Measure how long it takes to make 4 KB durable, in the spool's directory."""
    place = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place, buffering=0) as file:
            times = []
            for _ in range(SYNCS):
                begun = timer()
                file.write(b"\0" * BLOCK)
                os.fdatasync(file.fileno())
                times.append(timer() - begun)
    except OSError as error:
        return Finding("sync latency", FAIL, f"{place}: {error.strerror}", "mend the disk")
    median, longest = statistics.median(times), max(times)
    found = f"median {median * 1000:.2f} ms, longest {longest * 1000:.2f} ms of {SYNCS}"
    advice = "use a disk with a write cache that survives a power cut, or an SSD"
    if median >= BAD_SYNC:
        return Finding("sync latency", FAIL, found, advice)
    return Finding(
        "sync latency",
        WARN if median >= SLOW_SYNC else OK,
        found,
        advice if median >= SLOW_SYNC else "",
    )


# Clock.

STA_UNSYNC: Final = 0x0040  # <linux/timex.h>
TIMEX_OCTETS: Final = 208  # struct timex on 64 bit; `status` is the int after four longs
STATUS_AT: Final = 40
# A clock which says less was never set: 1 January 2025, before there was an Angarium.
NEVER_SET: Final = 1_735_689_600


def clock_status() -> int | None:
    """Return the kernel's status bits of the clock, read by adjtimex(2); None: not to be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(TIMEX_OCTETS)  # modes = 0: only read
    if not hasattr(libc, "adjtimex") or libc.adjtimex(buffer) < 0:
        return None
    return int.from_bytes(buffer.raw[STATUS_AT : STATUS_AT + 4], "little")


def clock(status: int | None, now: float) -> Finding:
    """Judge the clock: ids, retries, signatures and the Date field hang on it."""
    if now < NEVER_SET:
        shown = time.strftime("%Y-%m-%d", time.gmtime(now))
        return Finding("clock", FAIL, f"it says {shown}", "set the clock, and run chrony or ntpd")
    if status is None:
        return Finding("clock", SKIPPED, "the kernel does not tell whether it is synchronised")
    if status & STA_UNSYNC:
        return Finding(
            "clock",
            WARN,
            "not synchronised",
            "run chrony, ntpd or systemd-timesyncd, here or on the host",
        )
    return Finding("clock", OK, "synchronised")


def read_or_skip(check: str, judge: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what `judge` finds; skipped where the system keeps what it reads to itself."""
    try:
        return judge()
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "error")
        return [Finding(check, SKIPPED, f"{error.filename}: {reason}")]
