"""The pool as a whole: its end, its generations."""

import asyncio

import pytest

from angarium.outbound.options import Transport
from angarium.queue.throttle import BUSY_SECONDS
from helpers.peer import Peer
from helpers.sending import Configuration, Sending


async def test_at_the_end_what_is_under_way_is_finished() -> None:
    async with Peer() as peer, Sending(peer.port, max_outbound_connections=1) as sending:
        for number in range(20):
            sending.put(f"b{number}@example.test")
        await sending.until(lambda: peer.messages)
        await sending.pool.close(5.0)
        assert peer.verbs[-1] == "QUIT"
        assert len(peer.messages) == len(sending.deliveries)
        assert sending.board.in_flight == 0
        assert sending.pool.connections == 0


async def test_at_the_end_a_peer_which_does_not_answer_is_dropped() -> None:
    async with Peer({".": ["!nothing"]}) as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.until(lambda: "DATA" in peer.verbs)
        await asyncio.wait_for(sending.pool.close(0.05), 90)
        await sending.until(lambda: not peer.open)
        assert sending.spool.events == []
        assert len(sending.spool.live) == 1


async def test_who_was_denied_what_is_free_by_now_asks_again_instead_of_waiting() -> None:
    async with Sending() as sending:
        line, ledger = sending.board.line("default", "default", "a.test"), sending.board.ledger
        ledger.acquire("k", 1)
        ledger.acquire("k", 1)
        ledger.release("k")  # Nobody has parked for it yet.
        sending.pool.park(line, "k")
        assert not line.parked
        assert line.wake_at == pytest.approx(sending.clock.monotonic() + BUSY_SECONDS)


async def test_nothing_is_begun_after_the_end() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        await sending.pool.close(0.0)
        sending.put("b@example.test")
        await sending.later(3.0)
        assert peer.connections == 0


async def test_a_new_generation_holds_for_new_connections() -> None:
    async with Peer() as old, Peer() as new, Sending(old.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        changed = sending.queues.configuration
        assert isinstance(changed, Configuration)
        changed.transport = Transport.make(remote_smtp_port=new.port)
        changed.generation += 1
        sending.pool.configure(changed)
        await sending.later(8.0)
        await sending.until(lambda: not old.open)
        sending.put("c@example.test")
        await sending.quiet()
        assert (len(old.messages), len(new.messages)) == (1, 1)


async def test_permits_are_given_back_when_connections_end() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        key = "line:default/default/example.test"
        assert sending.board.ledger.count(key) == 1  # type: ignore[attr-defined]
        await sending.later(8.0)
        await sending.until(lambda: not peer.open)
        assert sending.board.ledger.count(key) == 0  # type: ignore[attr-defined]
