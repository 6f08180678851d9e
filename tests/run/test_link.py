import asyncio
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.run import link
from angarium.run.link import Frames, LinkError, frame

MESSAGES: list[link.Message] = [
    link.Start(1, 4, "/var", 7, b"text\xff", ["001", "005"], [2**63]),
    link.Ready(),
    link.Prepare(8, b"x" * 3000),
    link.Prepared(8, "no"),
    link.Drain(30.0),
    link.Alarm("disk full"),
]


@given(st.lists(st.sampled_from(MESSAGES), max_size=6), st.integers(1, 700))
def test_messages_survive_any_cut(messages: list[link.Message], cut: int) -> None:
    wire, frames, got = b"".join(map(frame, messages)), Frames(), []
    for start in range(0, len(wire), cut):
        got += frames.feed(wire[start : start + cut])
    assert got == messages


@given(st.binary(max_size=200))
def test_any_octets_are_messages_or_a_link_error(octets: bytes) -> None:
    try:
        Frames().feed(octets)
    except LinkError:
        return


def test_a_frame_which_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(LinkError, match="too long"):
        Frames().feed(b"\xff\xff\xff\xff")


async def test_who_takes_nothing_is_told_from_who_is_not_connected_yet() -> None:
    (ours, our_fds), (its, its_fds) = link.pair()
    made = link.Link(lambda _: None, lambda: None)
    clogged = [made.clogged]
    await asyncio.get_running_loop().create_unix_connection(lambda: made, sock=ours)
    clogged.append(made.clogged)
    made.send(link.Prepare(1, bytes(4 << 20)))
    clogged.append(made.clogged)
    assert clogged == [False, False, True]
    made.close()
    for each in (our_fds, its, its_fds):
        each.close()
    await asyncio.sleep(0)


def test_descriptors_arrive_under_their_labels() -> None:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    link.send_descriptor(ours, "listen :25", writing)
    link.send_descriptor(ours, "ledger", reading)
    got = link.receive_descriptors(its)
    assert list(got) == ["listen :25", "ledger"]
    os.write(got["listen :25"], b"x")
    assert os.read(got["ledger"], 1) == b"x"
    assert link.receive_descriptors(its) == {}
    for descriptor in (reading, writing, *got.values()):
        os.close(descriptor)
    ours.close()
    its.close()
