"""`Thread`: calls beside the loop."""

import asyncio
import threading

import pytest

from angarium.data.threads import Thread


async def test_calls_run_one_after_the_other_in_one_thread_which_is_not_ours() -> None:
    thread, ended = Thread(asyncio.get_running_loop(), "test"), list[int]()
    idents = [await thread.call(threading.get_ident) for _ in range(3)]
    assert len(set(idents)) == 1
    assert idents[0] != threading.get_ident()
    await thread.stop(lambda: ended.append(threading.get_ident()))
    assert ended == idents[:1]


async def test_what_a_call_raises_is_raised_where_it_was_made() -> None:
    thread = Thread(asyncio.get_running_loop(), "test")
    with pytest.raises(ZeroDivisionError):
        await thread.call(divmod, 1, 0)
    assert await thread.call(divmod, 7, 2) == (3, 1)
    await thread.stop(lambda: None)


async def test_who_is_cancelled_does_not_wait_and_the_thread_ends_after_what_it_does() -> None:
    thread, go = Thread(asyncio.get_running_loop(), "test"), threading.Event()
    call = asyncio.ensure_future(thread.call(go.wait))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert call.cancelled()
    end = thread.stop(lambda: None)
    assert not end.done()
    go.set()
    await end


def test_a_loop_which_has_ended_is_not_told() -> None:
    go, done = threading.Event(), threading.Event()

    async def abandoned() -> None:
        thread = Thread(asyncio.get_running_loop(), "test")
        waiting = asyncio.ensure_future(thread.call(go.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        thread.stop(done.set)

    asyncio.run(abandoned())
    go.set()
    assert done.wait(60)
