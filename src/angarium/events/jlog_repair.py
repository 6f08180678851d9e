"""What is damaged in a jlog, and how to get the rest back; not while somebody uses it.

What is no record is cut out of its segment. A record whose length is wrong is one too: its message
would end inside of another one.
"""

import os
import struct
from typing import Final

from angarium.events.jlog import HEAD, LIMIT, MAGIC, METASTORE, Jlog, JlogError, Meta, Place, whole

_HEAD: Final = struct.Struct("=IIII")
_MAGIC: Final = struct.pack("=I", MAGIC)

Stretch = tuple[int, int]  # octets of a segment: from, to


def damaged(octets: bytes) -> list[Stretch]:
    """Return what is no record, from the beginning to the end of a segment."""
    found: list[Stretch] = []
    at, size = 0, len(octets)
    while at < size:
        end = _end(octets, at)
        if end is not None:
            at = end
            continue
        following = at
        while True:
            following = octets.find(_MAGIC, following + 1)
            if following < 0:
                return [*found, (at, size)]
            if _end(octets, following) is not None:
                break
        found.append((at, following))
        at = following
    return found


def _end(octets: bytes, at: int) -> int | None:
    """Return where the record ends that begins here; None if none does."""
    if at + HEAD > len(octets):
        return None
    magic, _, _, length = _HEAD.unpack_from(octets, at)
    end: int = at + HEAD + length
    if magic != MAGIC or end > len(octets):
        return None
    if end == len(octets) or octets.startswith(_MAGIC, end):
        return end
    # What follows is damaged, or this length is: then there are others inside of it.
    return None if octets.find(_MAGIC, at + HEAD, end + len(_MAGIC) - 1) >= 0 else end


def faults(jlog: Jlog) -> list[str]:
    """Return what is wrong, a line each.

    Raises:
        OSError: it cannot be read.
    """
    found = []
    meta = None
    try:
        meta = jlog.meta()
    except (JlogError, FileNotFoundError) as error:
        found.append(f"metastore: {error}")
    segments = jlog.segments()
    if meta is not None and segments and meta.segment < segments[-1]:
        found.append(f"metastore: {meta.segment:08x} is written, and {segments[-1]:08x} is there")
    for number in segments:
        octets = jlog.segment(number).read_bytes()
        found += [
            f"{number:08x}: no records from {start} to {end}" for start, end in damaged(octets)
        ]
    for name, place in jlog.subscribers().items():
        if place != _bounded(jlog, place, segments):
            found.append(f"subscriber {name}: at {place}, which is not there")
    return found


def repair(jlog: Jlog) -> list[str]:
    """Put right what `faults` finds; return it.

    Raises:
        OSError: it could not be written; what was there before is still there.
    """
    found = faults(jlog)
    if not found:
        return found
    segments = jlog.segments()
    for number in segments:
        path = jlog.segment(number)
        octets = path.read_bytes()
        if stretches := damaged(octets):
            kept, at = [], 0
            for start, end in stretches:
                kept.append(octets[at:start])
                at = end
            draft = path.with_name(f"{path.name}.repaired")
            draft.write_bytes(b"".join([*kept, octets[at:]]))
            draft.chmod(path.stat().st_mode & 0o777)
            draft.replace(path)
            jlog.index(number).unlink(missing_ok=True)
    _mend_metastore(jlog, segments)
    for name, place in jlog.subscribers().items():
        bounded = _bounded(jlog, place, segments)
        if bounded != place:
            jlog.move(name, bounded)
    return found


def _mend_metastore(jlog: Jlog, segments: list[int]) -> None:
    last = segments[-1] if segments else 0
    try:
        meta = jlog.meta()
    except (JlogError, FileNotFoundError):
        meta = Meta(last, LIMIT)
    meta = meta._replace(segment=max(last, meta.segment))
    draft = jlog.path / f"{METASTORE}.repaired"
    draft.write_bytes(meta.encode())
    draft.chmod(0o640)
    os.replace(draft, jlog.path / METASTORE)


def _bounded(jlog: Jlog, place: Place, segments: list[int]) -> Place:
    """Return the nearest place there is."""
    if not segments or segments[0] <= place.segment <= segments[-1]:
        if place.segment not in segments:
            return place
        count = sum(1 for _ in whole(jlog.segment(place.segment).read_bytes()))
        return place if place.marker <= count else Place(place.segment, count)
    if place.segment < segments[0]:
        return Place(segments[0], 0)
    octets = jlog.segment(segments[-1]).read_bytes()
    return Place(segments[-1], sum(1 for _ in whole(octets)))
