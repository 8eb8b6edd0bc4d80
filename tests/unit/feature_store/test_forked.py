"""Bytes from a copy of the process: all of them, or an error; and never a copy left behind."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from eddyline_feature_store.forked import ForkedBytes, ForkFailed


def ended(pid: int) -> bool:
    """Whether the child is gone and has been waited for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


async def test_what_the_copy_makes_is_read_here() -> None:
    made = os.urandom(3_000_000)
    forked = ForkedBytes(lambda: made)
    assert (await forked.whole()).read() == made
    forked.abandon()


async def test_the_copy_stands_still_while_the_original_moves_on() -> None:
    state = [b"before"]

    def slowly() -> bytes:
        time.sleep(0.05)
        return state[0]

    forked = ForkedBytes(slowly)
    state[0] = b"after"
    assert (await forked.whole()).read() == b"before"
    forked.abandon()


async def test_a_copy_that_breaks_is_told() -> None:
    def breaks() -> bytes:
        raise MemoryError

    forked = ForkedBytes(breaks)
    with pytest.raises(ForkFailed, match="ended with 1"):
        await forked.whole()
    forked.abandon()


async def test_a_copy_gives_way_to_all_else_unless_somebody_waits_for_it() -> None:
    def priority() -> bytes:
        return f"{os.sched_getscheduler(0)} {os.nice(0)}".encode()

    ours = os.nice(0)
    for urgent, expected in ((False, (os.SCHED_BATCH, min(19, ours + 10))), (True, (os.SCHED_OTHER, ours))):
        forked = ForkedBytes(priority, urgent=urgent)
        assert (await forked.whole()).read() == b"%d %d" % expected
        forked.abandon()


async def test_the_copy_is_gone_before_its_bytes_are_read() -> None:
    forked = ForkedBytes(lambda: bytes(1_000_000))
    pid = forked._pid
    made = await forked.whole()
    assert ended(pid)
    assert len(made.read()) == 1_000_000
    forked.abandon()
    assert made.closed


async def test_a_copy_that_nobody_needs_any_more_is_ended() -> None:
    def for_ever() -> bytes:
        time.sleep(60)
        return b""

    forked = ForkedBytes(for_ever)
    pid = forked._pid
    started = time.monotonic()
    forked.abandon()
    assert time.monotonic() - started < 5
    assert ended(pid)


async def test_being_cancelled_while_waiting_leaves_nothing_behind() -> None:
    def for_ever() -> bytes:
        time.sleep(60)
        return b""

    forked = ForkedBytes(for_ever)
    pid = forked._pid
    waiting = asyncio.create_task(forked.whole())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    forked.abandon()
    for _ in range(500):
        if ended(pid):
            break
        await asyncio.sleep(0.01)
    assert ended(pid)
