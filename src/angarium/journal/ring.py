"""Chains of writes and syncs that the kernel carries out by itself: io_uring, without a thread.

    ring = Ring.open()                          None: this kernel has none, or may not be asked
    ring.submit((Write(...), Sync(...)), done)  one call into the kernel, which does not wait
    loop.add_reader(ring.fileno(), ring.reap)   calls `done` for the chains that have ended

A thread that writes and syncs takes the lock of the interpreter from the loop five times a trip;
that was a fifth of all the processor time of a small message. Here nothing of Python runs but the
call and the answer to it. What would wait is done by a thread of the kernel: a write to the page
cache seldom would, a sync always does.

The rule which keeps it simple: the links of a chain are done in their order, and one completion
tells of a whole chain. What is written is kept until then. A write that does not do all it was to
do breaks the chain. **A sync that fails does not**: to the kernel (io_uring/sync.c) it is no failed
link, and unless each sync is told of by itself, its EIO is heard of by nobody. So syncs come last.
The layouts are those of linux/io_uring.h; the C library has no names for the calls.
"""

import ctypes
import errno
import mmap
import os
import struct
from array import array
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Self

# The numbers of the calls are the same on all machines.
_SETUP, _ENTER, _REGISTER = 425, 426, 427
_REGISTER_EVENTFD: Final = 4
_SINGLE_MMAP: Final = 1 << 0
_SKIP_COMPLETIONS: Final = 1 << 11  # Linux 5.17
_WRITEV, _FSYNC, _WRITE = 2, 3, 23
_DATASYNC: Final = 1
_LINK, _SKIP = 1 << 2, 1 << 6
_PARAMETERS: Final = struct.Struct("<10I8IQ8IQ")
_SQE: Final = struct.Struct("<BBHiQQIIQHHiQQ")
_CQE: Final = struct.Struct("<QiI")
_U32: Final = struct.Struct("<I")
_WORD: Final = 0xFFFF_FFFF
_SQES: Final = 0x1000_0000  # where in the file they are mapped
_SHARED: Final = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)

ENTRIES: Final = 128  # operations submitted at once
LONGEST: Final = 64  # operations of a chain
PIECES: Final = 1024  # of a write; IOV_MAX of Linux
# Pieces of so many octets together are joined: the copy costs less than their addresses.
_JOIN: Final = 1 << 16

Ended = Callable[[int, int], None]


class _Chain:
    """A chain under way."""

    __slots__ = ("done", "failed", "held", "last", "syncs")

    def __init__(self, done: Ended, operations: Sequence["Write | Sync"]) -> None:
        self.done = done
        self.held: list[object] = []  # what the kernel reads
        self.last = len(operations) - 1
        self.syncs = {at for at, each in enumerate(operations) if isinstance(each, Sync)}
        self.failed: tuple[int, int] | None = None  # the first sync that did

    def ended(self, step: int, result: int) -> bool:
        """Take a completion; return whether it is the last one."""
        if step == self.last:
            return True
        if step in self.syncs:
            if result < 0 and self.failed is None:
                self.failed = step, result
            return False
        # A write: told of only if it failed, or was cancelled as those behind it will be.
        return self.failed is None or result != -errno.ECANCELED


class Write(NamedTuple):
    """Write the pieces at an offset; its result is the octets written."""

    handle: int
    pieces: Sequence[bytes]
    offset: int


class Sync(NamedTuple):
    """Make what was written to a file durable (fdatasync); its result is 0."""

    handle: int


class _Layout:
    """Where in the mapped memory things are; from io_uring_params."""

    def __init__(self, parameters: bytes) -> None:
        found = _PARAMETERS.unpack(parameters)
        self.features = found[5]
        self.entries, completions = found[:2]
        self.sq_tail, self.array = found[11], found[16]
        self.cq_head, self.cq_tail, self.cqes = found[19], found[20], found[24]
        self.cq_mask = completions - 1
        self.octets = max(self.array + 4 * self.entries, self.cqes + _CQE.size * completions)


class Ring:
    """One ring, for one thread.

    A chain ends with `done(step, result)`: the steps before `step` did all they were to do, that
    one gave `result` (as the system call does, -errno for an error). Those behind it were not
    begun, except that behind a sync which failed they may have been.
    """

    __slots__ = ("_chains", "_event", "_fd", "_layout", "_memory", "_number", "_sqes", "_tail")

    def __init__(self, fd: int, layout: _Layout) -> None:
        self._fd = fd
        self._layout = layout
        self._memory = mmap.mmap(fd, layout.octets, flags=_SHARED)
        self._sqes = mmap.mmap(fd, layout.entries * _SQE.size, flags=_SHARED, offset=_SQES)
        for index in range(layout.entries):
            _U32.pack_into(self._memory, layout.array + 4 * index, index)
        self._tail = 0
        self._number = 0
        self._chains: dict[int, _Chain] = {}
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        event = ctypes.c_int(self._event)
        _call(_REGISTER, fd, _REGISTER_EVENTFD, ctypes.addressof(event), 1)

    @classmethod
    def open(cls) -> Self | None:
        """Return a ring; None if the kernel is older than 5.17 or does not let us have one."""
        room = ctypes.create_string_buffer(_PARAMETERS.size)
        try:
            fd = _call(_SETUP, ENTRIES, ctypes.addressof(room))
        except OSError:
            return None
        layout = _Layout(room.raw)
        if not (layout.features & _SINGLE_MMAP and layout.features & _SKIP_COMPLETIONS):
            os.close(fd)
            return None
        return cls(fd, layout)

    def fileno(self) -> int:
        """Return what becomes readable when a chain has ended."""
        return self._event

    def submit(self, chain: Sequence[Write | Sync], done: Ended) -> None:
        """Begin a chain of at most LONGEST steps, none of them empty.

        Raises:
            OSError: the kernel took none, or not all of it; then `done` is never called, and what
                was begun may still be written.
        """
        self._number = number = self._number + 1
        under_way = self._chains[number] = _Chain(done, chain)
        tail, mask = self._tail, self._layout.entries - 1
        for step, operation in enumerate(chain):
            flags = 0 if step == under_way.last else _LINK
            token = number << 8 | step
            if isinstance(operation, Write):
                opcode, address, count = _source(operation.pieces, under_way.held)
                offset, how = operation.offset, 0
                flags = flags and flags | _SKIP
            else:
                opcode, address, count, offset, how = _FSYNC, 0, 0, 0, _DATASYNC
            _SQE.pack_into(
                self._sqes, (tail & mask) * _SQE.size, opcode, flags, 0, operation.handle, offset,
                address, count, how, token, 0, 0, 0, 0, 0,
            )  # fmt: skip
            tail = (tail + 1) & _WORD
        self._tail = tail
        _U32.pack_into(self._memory, self._layout.sq_tail, tail)
        taken = _call(_ENTER, self._fd, len(chain))
        if taken != len(chain):
            raise OSError(f"the kernel took {taken} of {len(chain)} operations")

    def reap(self) -> None:
        """Tell of the chains which have ended."""
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return
        memory, layout = self._memory, self._layout
        head = _U32.unpack_from(memory, layout.cq_head)[0]
        tail = _U32.unpack_from(memory, layout.cq_tail)[0]
        ended = []
        while head != tail:
            at = layout.cqes + (head & layout.cq_mask) * _CQE.size
            token, result, _ = _CQE.unpack_from(memory, at)
            ended.append((token, result))
            head = (head + 1) & _WORD
        _U32.pack_into(memory, layout.cq_head, head)
        for token, result in ended:
            number, step = token >> 8, token & 0xFF
            chain = self._chains[number]
            if chain.ended(step, result):
                del self._chains[number]
                chain.done(*(chain.failed or (step, result)))

    def close(self) -> None:
        """Give it back to the kernel; nothing may be under way."""
        os.close(self._event)
        self._memory.close()
        self._sqes.close()
        os.close(self._fd)


def _source(pieces: Sequence[bytes], held: list[object]) -> tuple[int, int, int]:
    """Return operation, address and count for writing the pieces, which `held` keeps alive."""
    whole = pieces[0] if len(pieces) == 1 else None
    if whole is None and sum(map(len, pieces)) <= _JOIN:
        whole = b"".join(pieces)
    if whole is not None:
        held.append(whole)
        return _WRITE, _address(whole), len(whole)
    vector = array("Q")
    for piece in pieces:
        vector.append(_address(piece))
        vector.append(len(piece))
    held.append((pieces, vector))
    return _WRITEV, vector.buffer_info()[0], len(pieces)


# With the lock of the interpreter held: what is called here does not wait.
_library = ctypes.PyDLL(None, use_errno=True)
_syscall = _library.syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long] * 7
_address = ctypes.pythonapi.PyBytes_AsString
_address.restype = ctypes.c_size_t
_address.argtypes = [ctypes.py_object]


def _call(number: int, *arguments: int) -> int:
    result: int = _syscall(number, *arguments, *(0,) * (6 - len(arguments)))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
