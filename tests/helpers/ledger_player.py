"""A worker for tests of the ledger: `python ledger_player.py WORKER label=descriptor ...`.

acquire KEY CAP, release KEY   the answer
lock KEY                       lock its row and keep it locked
wait SECONDS                   the key that was freed for us
begin SECONDS CAP              take and give back the permit "k" until the time is over; then a line
                               "TURNS FAULTS": how often we had it, how often more than CAP held it
"""

import select
import sys
import time

from angarium.queue.ledger import SharedLedger
from angarium.queue.rows import digest_of


class Real:
    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class Player:
    def __init__(self, worker: int, descriptors: dict[str, int]) -> None:
        self.ledger = SharedLedger.opened(descriptors, worker, Real(), self.alarm)
        self.ledger.on_free = self.heard
        self.freed: list[str] = []

    def alarm(self, text: str) -> None:
        raise SystemExit(text)

    def heard(self, key: str) -> None:
        self.freed.append(key)

    def wait(self, seconds: float) -> str:
        select.select([self.ledger], [], [], seconds)
        self.ledger.read()
        return self.freed.pop() if self.freed else "nothing"

    def lock(self, key: str) -> str:
        table = self.ledger._table
        row = table.find(digest_of(key))
        return "locked" if table.lock(row) else "not locked"

    def go_round(self, seconds: float, cap: int) -> str:
        """Hold the permit for a number of looks, then hand it back if others want it."""
        turns = faults = 0
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.ledger.acquire("k", cap):
                self.wait(0.001)
                self.ledger.tick()
                continue
            turns += 1
            for _ in range(20):
                faults += self.ledger.count("k") > cap
            if not self.ledger.wanted("k"):
                self.wait(0.0005)
            self.ledger.release("k")
            self.ledger.tick()
        self.ledger.forget("k")
        return f"{turns} {faults}"

    def obey(self, words: list[str]) -> str:
        match words:
            case ["acquire", key, cap]:
                return self.ledger.acquire(key, int(cap)).name
            case ["release", key]:
                self.ledger.release(key)
                return "released"
            case ["lock", key]:
                return self.lock(key)
            case ["wait", seconds]:
                return self.wait(float(seconds))
            case ["begin", seconds, cap]:
                say("begun")
                return self.go_round(float(seconds), int(cap))
        raise SystemExit(f"what is {words}?")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    pairs = [each.split("=") for each in sys.argv[2:]]
    player = Player(int(sys.argv[1]), {name: int(number) for name, number in pairs})
    say("ready")
    for line in sys.stdin:
        say(player.obey(line.split()))


if __name__ == "__main__":
    main()
