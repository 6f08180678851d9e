"""The power is cut, or a process killed, at any sync: each line of the text logs is there once.

A worker with a shard and the hose take turns, on disks which forget what was not synced.
"""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from angarium.config.option import Options
from angarium.core.ident import printed
from angarium.events import checkpoint
from angarium.modules.loggers import logfile
from angarium.modules.loggers.options.logs import BounceLogger, EcLogger
from angarium.run.hose import Hose
from helpers.disk import MemoryDisk
from helpers.pagecache import PageCache
from helpers.power import LOST_AFTER, Cut
from helpers.rounds import Seeds
from helpers.spool import SMALL, Life
from helpers.streams import delivery, rejection, transient

pytestmark = pytest.mark.torture

SURE = 1.0 + LOST_AFTER  # seconds after which a stream is on the device
CALM = 2.5  # ... and all that was derived from it


class Loggers:
    """As much of a configuration as the hose asks for."""

    def __init__(self, folder: Path) -> None:
        names = {name: str(folder / f"{name}.ec") for name in ("mainlog", "rejectlog", "paniclog")}
        self._stanzas = {
            "ec_logger": [("ec_logger", EcLogger.make(**names, heartbeat=0.0))],
            "bounce_logger": [
                ("b", BounceLogger.make(bouncelog=str(folder / "bouncelog.ec"), heartbeat=0.0))
            ],
        }

    def top(self, options: type[Options]) -> Options:
        return options.make()

    def instances(self, stanza: str) -> object:
        return self._stanzas.get(stanza, [])


class Story:
    """A worker and a hose, life after life. What must be in the logs is noted."""

    def __init__(self, seed: int, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.chance = Random(seed)
        self.folder = folder
        self.home = folder / "spool" / "000"
        for name in ("events", "rejections"):
            (self.home / name).mkdir(parents=True)
        logs = (folder / "hose" / "logs", folder / "log")
        self.pages = PageCache(patch, (checkpoint, logfile), logs)
        self.disk = MemoryDisk()
        self.boot = self.now = 1
        self.counts: Counter[str] = Counter()
        self.ends: Counter[int] = Counter()  # how often each entry was ended
        self.acknowledged: set[int] = set()
        self.sure: set[int] = set()  # ends which no misfortune undoes
        self.tried: Counter[int] = Counter()  # how often each entry was put off
        self.rejected: dict[str, float] = {}  # those of this life, and when
        self.logged: set[str] = set()  # rejections which must be there
        self.recent: dict[int, float] = {}  # ends of this life, and when
        self.life: Life
        self.hose: Hose

    # -- lives ----------------------------------------------------------------------------

    def start_worker(self) -> None:
        self.now += 10
        self.life = Life(self.disk, SMALL, seed=self.chance.getrandbits(32), start=1.7e9 + self.now)
        self.life.start(str(self.home))
        self.recent.clear()
        self.rejected.clear()

    def start_hose(self) -> None:
        self.hose = Hose(
            Loggers(self.folder / "log"),  # type: ignore[arg-type]
            self.folder,
            self.life.loop.clock,
            self.disk,
            self.alarm,
            f"boot-{self.boot}",
        )

    def alarm(self, text: str) -> None:
        raise AssertionError(text)

    def kill_hose(self) -> None:
        self.counts["hoses killed"] += 1
        self.hose._keeper.unlock()
        for log in self.hose._logs:
            log.close()  # as the kernel does

    def run(self) -> None:
        self.start_worker()
        self.start_hose()
        for _ in range(self.chance.randrange(2, 6)):
            self.pages.left = self.chance.choice((0, self.chance.randrange(1, 80)))
            try:
                for _ in range(self.chance.randrange(5, 80)):
                    self.act()
            except Cut:
                self.counts["deaths at a sync"] += 1
            self.pages.left = 0
            self.misfortune()
        self.calm()
        self.check()
        self.life.kill()
        self.kill_hose()
        self.pages.close_all()

    def misfortune(self) -> None:
        self.learn()
        match self.chance.randrange(5):
            case 0:
                self.kill_hose()
                self.start_hose()
            case 1:
                self.counts["workers killed"] += 1
                self.life.kill()
                self.kill_hose()
                self.start_worker()
                self.start_hose()
            case _:
                self.cut_power()

    def cut_power(self) -> None:
        self.counts["power cuts"] += 1
        now = self.life.loop.clock.monotonic()
        self.sure |= {ident for ident, at in self.recent.items() if now - at > LOST_AFTER}
        self.logged |= {text for text, at in self.rejected.items() if now - at > SURE}
        self.life.kill()
        self.kill_hose()
        choose = self.chance.choice((lambda n: 0, self.chance.randrange))
        self.disk = self.disk.power_cut(choose)
        self.pages.power_cut(choose)
        self.boot += 1
        self.start_worker()
        self.start_hose()

    # -- work -----------------------------------------------------------------------------

    def act(self) -> None:
        chance, life = self.chance, self.life
        live = sorted(life.spool.live)
        match chance.randrange(9):
            case 0 | 1:
                life.begin(*(f"r{n}@example.org" for n in range(chance.choice((1, 3)))))
            case 2 if live:
                self.end(chance.choice(live))
            case 3 if live:
                self.defer(chance.choice(live))
            case 4:
                for _ in range(chance.choice((1, 1, 20))):
                    self.reject()
                    life.pass_time(chance.choice((0.0, 0.003)))  # a record each, or one for all
            case 5:
                life.pass_time(chance.choice((0.003, 0.2, 1.2)))
            case _:
                self.poll()
        self.learn()

    def poll(self) -> None:
        self.life.pass_time(0.05)
        wait = self.hose.poll()
        self.life.pass_time(wait)

    def end(self, ident: int) -> None:
        self.life.spool.settle(ident, delivery(ident, at=self.life.loop.clock.time()))
        self.ends[ident] += 1
        self.recent[ident] = self.life.loop.clock.monotonic()
        self.counts["deliveries"] += 1

    def defer(self, ident: int) -> None:
        attempt = self.life.spool.slot(ident).attempts
        event = transient(ident, at=self.life.loop.clock.time(), attempt=attempt)
        self.life.spool.defer(ident, attempt + 1, 2_000_000_000, event)
        self.tried[ident] += 1

    def reject(self) -> None:
        text = f"refused {self.chance.getrandbits(60)}"
        self.life.spool.reject(rejection(at=self.life.loop.clock.time(), text=text))
        self.rejected[text] = self.life.loop.clock.monotonic()
        self.counts["rejections"] += 1

    def learn(self) -> None:
        for message in self.life.begun:
            if id(message) in self.life.outcomes and message.batch not in self.acknowledged:
                assert self.life.outcomes[id(message)] is None
                self.acknowledged.add(message.batch)
                self.counts["messages accepted"] += 1

    def calm(self) -> None:
        """Nothing more happens; what was told late is told now."""
        for _ in range(60):
            self.poll()
        now = self.life.loop.clock.monotonic()
        self.logged |= {text for text, at in self.rejected.items() if now - at > CALM}
        self.sure |= self.recent.keys()

    # -- what must hold -------------------------------------------------------------------

    def check(self) -> None:
        lines = Counter[tuple[str, str]]()
        batches: set[str] = set()
        for line in self.lines("mainlog"):
            _, ident, batch, _, kind, *_ = line.split("@")
            lines[kind, ident] += 1
            batches.add(batch)
        assert not [each for each, times in lines.items() if each[0] == "R" and times > 1]
        missing = {batch for batch in self.acknowledged if printed(batch) not in batches}
        assert not missing, f"no line says that they came: {missing}"
        silent = {ident for ident in self.sure if not lines["D", printed(ident)]}
        assert not silent, f"no line says that they went: {silent}"
        for kind, done in (("D", self.ends), ("T", self.tried)):
            said = {each: lines[kind, printed(each)] for each in done}
            assert not [each for each, times in said.items() if times > done[each]], kind
            assert sum(said.values()) == sum(lines[each] for each in lines if each[0] == kind)
        self.check_rejections()

    def check_rejections(self) -> None:
        lines = Counter(line[line.index("refused ") :] for line in self.lines("rejectlog"))
        assert not [text for text, times in lines.items() if times > 1]
        missing = self.logged - lines.keys()
        assert not missing, f"no line says that they were refused: {missing}"

    def lines(self, name: str) -> list[str]:
        text = (self.folder / "log" / f"{name}.ec").read_text(encoding="utf-8")
        assert "\0" not in text
        assert not text or text.endswith("\n")
        return text.splitlines()


def test_each_line_is_there_once_wherever_the_power_is_cut(
    seeds: Seeds, tally: Counter[str], tmp_path: Path
) -> None:
    for seed in seeds(10, 1500):
        with pytest.MonkeyPatch.context() as patch:
            story = Story(seed, tmp_path / str(seed), patch)
            story.run()
        tally.update(story.counts)
