"""Whether the loops of our processes run: who is silent is told, shunned, and in the end killed.

Each process counts on the scoreboard once a second (`beat`); the supervisor looks once a second.
A process that is stuck in a call or stopped by a signal does not count. What it is silent for is
measured in looks of ours, each worth a second at most, and nothing if it comes late: when the
machine sleeps, is starved or has its clock set, or when we are stopped, nobody looks silent for it.

    after SHUN_SECONDS        others take the connections
    after LATE_SECONDS        an alarm says who, and over which message
    after watchdog_interval   SIGABRT: its last word is where it was (`run/traces`)
    LAST_SECONDS later        SIGKILL
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.ident import printed
from angarium.run import traces
from angarium.run.scoreboard import MAX_WORKERS, Pulse, Scoreboard

BEAT_SECONDS: Final = 1.0
LATE_LOOK_SECONDS: Final = 2.0  # after the last one: a look which proves nothing
SHUN_SECONDS: Final = 2.5
LATE_SECONDS: Final = 5.0  # or half of watchdog_interval, if that is less
LEAST_SECONDS: Final = 3.0  # two beats may fall between three looks: less is no proof
START_SECONDS: Final = 60.0  # at least, for an interpreter to begin where all begin at once
LAST_SECONDS: Final = 5.0


class Watched(Protocol):
    """A child process."""

    name: str
    pid: int

    def abort(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(slots=True)
class Silence:
    """How long a process has said nothing."""

    beats: int = -1
    seconds: float = 0.0
    shunned: bool = False
    told: bool = False
    aborted: bool = False
    killed: bool = False


class Watchdog:
    """The supervisor's."""

    __slots__ = ("_clock", "_log", "_looked", "_scoreboard", "_silences")

    def __init__(self, scoreboard: Scoreboard, clock: Clock, log: Any) -> None:
        self._scoreboard = scoreboard
        self._clock = clock
        self._log = log
        self._silences: dict[int, Silence] = {}  # by process id
        self._looked = clock.monotonic()

    def look(self, processes: Iterable[tuple[int, Watched]], interval: float) -> None:
        """Look at all of them, by place on the scoreboard; to be called once a second.

        Args:
            interval: the seconds of silence which end a process; 0: none does.
        """
        now = self._clock.monotonic()
        since, self._looked = now - self._looked, now
        passed = min(since, BEAT_SECONDS) if since < LATE_LOOK_SECONDS else 0.0
        silences, self._silences = self._silences, {}
        for place, process in processes:
            known = silences.get(process.pid) or Silence()
            self._silences[process.pid] = known
            beats = self._scoreboard.beats(place)
            if beats == known.beats:
                known.seconds += passed
                self._silent(place, process, known, interval)
            else:
                self._heard(place, process, known)
                known.beats = beats

    def _heard(self, place: int, process: Watched, known: Silence) -> None:
        if known.shunned:
            self._scoreboard.shun(place, yes=False)
        if known.told:
            self._log.warning("answers again", **_who(process), after=round(known.seconds))
        known.seconds, known.shunned, known.told = 0.0, False, False

    def _silent(self, place: int, process: Watched, known: Silence, interval: float) -> None:
        if known.seconds >= SHUN_SECONDS and place < MAX_WORKERS and not known.shunned:
            self._scoreboard.shun(place, yes=True)
            known.shunned = True
        interval = max(interval, LEAST_SECONDS) if interval else 0.0
        late = max(min(LATE_SECONDS, interval / 2), SHUN_SECONDS) if interval else LATE_SECONDS
        if not known.beats:
            interval, late = max(interval, START_SECONDS) if interval else 0.0, START_SECONDS / 2
        if known.seconds >= late and not known.told:
            known.told = True
            self._log.error("does not answer", **self._about(place, process, known))
        if not interval:
            return
        if known.seconds >= interval and not known.aborted:
            known.aborted = True
            self._log.error("stuck, and ended", **self._about(place, process, known))
            process.abort()
        if known.seconds >= interval + LAST_SECONDS and not known.killed:
            known.killed = True
            process.kill()

    def _about(self, place: int, process: Watched, known: Silence) -> dict[str, object]:
        about = _who(process) | {"silent": round(known.seconds), "state": state_of(process.pid)}
        if place < MAX_WORKERS and (ident := self._scoreboard.working_on(place)):
            about["message"] = printed(ident)
        return about


def _who(process: Watched) -> dict[str, object]:
    return {"part": "TIME", "who": process.name, "pid": process.pid}


def state_of(pid: int) -> str:
    """Return what the system says a process is at: running, stopped, or waiting and for what."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        state = stat.rpartition(")")[2].split()[0]
        where = Path(f"/proc/{pid}/wchan").read_text(encoding="ascii").strip()
    except (OSError, IndexError):
        return "unknown"
    names = {"R": "running", "S": "sleeping", "D": "waiting for a device", "T": "stopped"}
    said = names.get(state, state)
    return f"{said} in {where}" if where.strip("0") and state in "SD" else said


def attend(run_folder: Path, place: int, name: str) -> None:
    """Be watched from now on: show that our loop runs, and have a place for our last words.

    Called in a child, by whoever it is; `name` is one that no other process has meanwhile.
    """
    traces.record(run_folder, name)
    _keep_beating(Scoreboard(run_folder / "scoreboard").pulse(place), asyncio.get_running_loop())


def _keep_beating(pulse: Pulse, loop: asyncio.AbstractEventLoop) -> None:
    pulse.beat()
    loop.call_later(BEAT_SECONDS, _keep_beating, pulse, loop)
