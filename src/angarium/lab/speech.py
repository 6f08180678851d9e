"""What a session of a sink says, and how: late, octet by octet, too much, or never again.

    done = speech.perform(deed, answer, then)     False: busy; `then` is called when it is done

An answer with code 421 or 221 closes the connection: both say so (RFC 5321 section 4.2.2).
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final

from angarium.lab.received import Counts
from angarium.lab.script import Answer, Babble, Deed, End, Play
from angarium.lab.sipping import sip

_LINGER_OFF: Final = struct.pack("ii", 1, 0)  # close() then sends RST
_BEFORE_RESET: Final = 0.02  # seconds in which an answer leaves before RST overtakes it
_ENDLESS_LINE: Final = b"250-and there is more\r\n"
_ENDLESS_LINES: Final = 200  # at a time
_ENDLESS_PAUSE: Final = 0.001  # seconds between its pieces
_CLOSING: Final = (221, 421)
_UNSOLICITED: Final = b"250 2.0.0 nobody asked\r\n"


class Speech:
    """The writing side of one connection."""

    __slots__ = ("_counts", "_loop", "_out", "_play", "_timer", "_transport", "busy", "end")

    def __init__(self, transport: asyncio.Transport, play: Play, counts: Counts) -> None:
        self._transport = transport
        self._play = play
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._out: list[bytes] = []
        self.busy = False  # nothing may be read or said before this is done
        self.end: End | None = None  # the script has ended the session

    def say(self, octets: bytes) -> None:
        self._out.append(octets)

    def flush(self) -> None:
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def close(self) -> None:
        """Say what is to be said, and close."""
        self.flush()
        self.end = End.DROP
        self._transport.close()

    def lost(self) -> None:
        """The connection is gone."""
        self.end = self.end or End.DROP
        if self._timer is not None:
            self._timer.cancel()

    def perform(self, deed: Deed, usual: Answer | None, then: Callable[[], None]) -> bool:
        """Do as the script says, with `usual` where it has no answer of its own."""
        if deed.sip:
            sip(self._transport, deed.sip)
        if deed.delay:
            self.flush()
            self._later(deed.delay, lambda: self._speak_late(deed, usual, then))
            return False
        return self._speak(deed, usual, then)

    def _later(self, seconds: float, what: Callable[[], object]) -> None:
        self.busy = True
        self._timer = self._loop.call_later(seconds, what)

    def _speak_late(self, deed: Deed, usual: Answer | None, then: Callable[[], None]) -> None:
        if self._speak(deed, usual, then):
            then()

    def _speak(self, deed: Deed, usual: Answer | None, then: Callable[[], None]) -> bool:
        self.busy = False
        answer = (deed.answer or usual) if deed.answers else None
        octets = answer.octets if answer else b""
        match deed.babble:
            case Babble.GARBAGE:
                octets = self._play.garbage() + octets
            case Babble.TWICE:
                octets += octets
            case Babble.UNSOLICITED:
                octets += _UNSOLICITED
            case Babble.ENDLESS:
                self._endless()
                return False
        end = deed.end or (End.DROP if answer and answer.code in _CLOSING else None)
        if deed.trickle and octets:
            self.flush()
            self._drip(octets, deed.trickle, end, then)
            return False
        self.say(octets)
        return self._finish(end, said=bool(octets))

    def _drip(self, octets: bytes, pause: float, end: End | None, then: Callable[[], None]) -> None:
        self._transport.write(octets[:1])
        if len(octets) > 1:
            self._later(pause, lambda: self._drip(octets[1:], pause, end, then))
            return
        self.busy = False
        if self._finish(end, said=True):
            then()

    def _endless(self) -> None:
        self.flush()
        if not self._transport.get_write_buffer_size():
            self._transport.write(_ENDLESS_LINE * _ENDLESS_LINES)
        self._later(_ENDLESS_PAUSE, self._endless)

    def _finish(self, end: End | None, *, said: bool) -> bool:
        if end is None:
            return True
        self.flush()
        self.end = end
        self._counts.ends[end.value] = self._counts.ends.get(end.value, 0) + 1
        match end:
            case End.DROP:
                self._transport.close()
            case End.DEAF:
                self._transport.pause_reading()
            case End.RESET if said:
                self._later(_BEFORE_RESET, self._reset)
            case End.RESET:
                self._reset()
        return False

    def _reset(self) -> None:
        connected: socket.socket = self._transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        self._transport.abort()
