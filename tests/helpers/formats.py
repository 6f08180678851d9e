"""Files of a version that is still to come, as their writer would make them."""

from pathlib import Path
from zlib import crc32

from angarium.journal.segment import HEADER_SIZE

CRC_AT = 64  # of the header: every version keeps it there


def newer(octets: bytes, version: int = 99) -> bytes:
    """Return the file of a segment or a checkpoint, of another version."""
    head = octets[:8] + version.to_bytes(2, "little") + octets[10:CRC_AT]
    check = crc32(head).to_bytes(4, "little")
    return (head + check).ljust(HEADER_SIZE, b"\0") + octets[HEADER_SIZE:]


def make_newer(path: Path) -> None:
    path.write_bytes(newer(path.read_bytes()))
