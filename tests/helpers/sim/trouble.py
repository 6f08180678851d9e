"""What befalls a simulated node: failures, and what an operator does, each by chance."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from angarium.core.reply import Reply
from angarium.queue import bulk
from angarium.queue.acts import Fail, Flush, Hold, Move
from angarium.queue.bulk import Tally, Where
from angarium.queue.choice import Choice
from angarium.queue.errand import Act, Errand, Means
from helpers.sim.limits import BINDINGS, DOMAINS
from helpers.sim.net import Mood
from helpers.sim.worker import Worker

if TYPE_CHECKING:
    from helpers.sim.world import World


def befall(world: "World", worker: Worker) -> None:
    """Let something happen to the worker, or to all."""
    world.random.choice(KINDS)(world, worker)


def _weather(world: "World", _: Worker) -> None:
    host = world.random.choice(list(world.net.hosts.values()))
    if host.name != "origin.test":
        host.mood = Mood(world.random, good=world.random.random() < 0.3)
    world.note(f"{host.name} is in another mood")


def _kill(world: "World", worker: Worker) -> None:
    world.die(worker)


def _end(world: "World", worker: Worker) -> None:
    world.drain(worker)


def _reload(world: "World", _: Worker) -> None:
    world.configure()


def _where(world: "World") -> Where:
    random = world.random
    group, binding = random.choice(BINDINGS)
    return Where(
        group if random.random() < 0.3 else None,
        binding if random.random() < 0.3 else None,
        random.choice(DOMAINS) if random.random() < 0.5 else None,
    )


def _suspend(world: "World", worker: Worker) -> None:
    where = _where(world)
    world.note(f"{worker.process.name}: suspended is {where}")
    worker.suspensions.suspend(where)


def resume(world: "World", worker: Worker) -> None:
    for where in list(worker.suspensions):
        worker.suspensions.resume(where)
    world.note(f"{worker.process.name}: all is resumed")


def _flush(world: "World", worker: Worker) -> None:
    where, tally = _where(world), Tally()
    world.note(f"{worker.process.name}: flush {where}")
    _early(world, tally)
    worker.board.begin(bulk.flush(worker.board, where.matches, tally))


def _move(world: "World", worker: Worker) -> None:
    where, tally = _where(world), Tally()
    group, binding = world.random.choice(BINDINGS)
    world.note(f"{worker.process.name}: move {where} to {binding}")
    _early(world, tally)
    worker.board.begin(bulk.move(worker.board, where.matches, group, binding, tally))


def _fail(world: "World", worker: Worker) -> None:
    where = Where(domain=world.random.choice(DOMAINS))
    world.note(f"{worker.process.name}: fail {where}")
    reply = Reply(554, "failed by the operator", "5.0.0")
    end = lambda entry: worker.settle.end(entry, reply)  # noqa: E731
    chance = world.random.choice((2, 5, 1))
    chosen = lambda ident: not ident % chance  # noqa: E731
    worker.board.begin(bulk.fail(worker.board, where.matches, end, Tally(), chosen))


def _errand(world: "World", worker: Worker) -> None:
    """An operator wants something done to chosen mail, and may end it before it is done."""
    random = world.random
    group, binding = random.choice(BINDINGS)
    choice = Choice(
        domain=random.choice(("", random.choice(DOMAINS))),
        sender=random.choice(("", "*")),
        age=random.choice((0, 0, 5)),
    )
    reply = Reply(554, "failed by the operator", "5.0.0")
    board, report = worker.board, random.random() < 0.5
    acts: list[Act] = [
        Fail(board, lambda entry: worker.settle.end(entry, reply, report=report), lambda: True),
        Flush(board),
        Hold(board, random.randrange(1, 100)),
        Move(board, lambda key: (group, binding, key[2])),
    ]
    act = random.choice(acts)
    means = Means(worker.spool.live.parts, lambda: [*worker.hands, *worker.settle.reported])
    steps, stop = Errand(board, choice, means).run(act), random.randrange(1000)
    tally = Tally()
    _early(world, tally)
    world.note(f"{worker.process.name}: {type(act).__name__} {choice}")

    def job() -> Iterator[None]:
        for number, _ in enumerate(steps):
            if number == stop:
                steps.close()
                break
            yield
        tally.finish()

    board.begin(job())


def _early(world: "World", tally: Tally) -> None:
    world.tallies.append(tally)
    world.audit.at_once()


def _wake(world: "World", worker: Worker) -> None:
    lines = [line for line in worker.board.lines.values() if world.random.random() < 0.5]
    for line in lines:
        world.machine.within(worker.process, partial(worker.board.resume, line))


def _destage(world: "World", worker: Worker) -> None:
    worker.board.begin(bulk.destage(worker.board))


def _eio(world: "World", _: Worker) -> None:
    world.disk.fail_at(world.random.randrange(1, 20), short=world.random.random() < 0.3)
    world.note("a write or sync fails")


def _broken(world: "World", _: Worker) -> None:
    world.disk.break_down()
    world.note("the disk is broken")
    world.later(world.random.random() * 20.0, partial(mended, world))


def mended(world: "World") -> None:
    world.disk.repair()
    world.disk.capacity = 1 << 40
    world.note("the disk is well")


def _full(world: "World", _: Worker) -> None:
    world.disk.capacity = world.disk.used
    world.note("the disk is full")
    world.later(world.random.random() * 20.0, partial(mended, world))


def _cold(world: "World", _: Worker) -> None:
    world.disk.cold = not world.disk.cold


def _names(world: "World", worker: Worker) -> None:
    worker.names.failing = world.random.choice((0.0, 0.2, 1.0))
    worker.names.slow = world.random.choice((0.05, 5.0, 30.0))
    world.note(f"{worker.process.name}: names fail at {worker.names.failing}")


def _shortage(world: "World", _: Worker) -> None:
    world.net.shortage = world.random.choice((0.0, 0.0, 0.3, 1.0))
    world.note(f"descriptors are short: {world.net.shortage}")


def _clock(world: "World", _: Worker) -> None:
    seconds = world.random.choice((-3600.0, -30.0, -1.0, 1.0, 30.0, 3600.0))
    world.clock.ahead += seconds
    world.note(f"the clock is set by {seconds}")


def _stall(world: "World", worker: Worker) -> None:
    seconds = world.random.choice((0.01, 0.5, 10.0))
    worker.process.stalled_until = world.clock.now + seconds
    world.stalled += seconds
    world.note(f"{worker.process.name} is stalled for {seconds} s")


KINDS: Final[tuple[Callable[["World", Worker], None], ...]] = (
    _weather, _weather, _weather, _kill, _end, _reload, _reload, _suspend, resume, resume, _flush,
    _move, _fail, _errand, _errand, _wake, _destage, _eio, _broken, _full, _cold, _names, _shortage,
    _clock, _stall,
)  # fmt: skip
