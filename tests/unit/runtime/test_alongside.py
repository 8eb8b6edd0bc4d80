"""Parts end with their block, and a block with its parts."""

from __future__ import annotations

import asyncio

import pytest

from eddyline_runtime.alongside import alongside


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


async def test_parts_end_with_the_block() -> None:
    ended: list[str] = []
    async with alongside(forever(ended), forever(ended)):
        await asyncio.sleep(0)
    assert ended == ["ended", "ended"]


async def test_a_part_that_swallows_a_cancellation_is_asked_again() -> None:
    ended: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await forever(ended)

    async with alongside(stubborn()):
        await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_a_fault_in_a_part_ends_the_block_and_is_raised_plainly() -> None:
    async def breaks() -> None:
        raise ZeroDivisionError

    ended: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with alongside(breaks(), forever(ended)):
            await asyncio.Event().wait()
    assert ended == ["ended"]


async def test_a_fault_of_the_block_is_raised_plainly() -> None:
    ended: list[str] = []
    with pytest.raises(KeyError):  # noqa: PT012
        async with alongside(forever(ended)):
            await asyncio.sleep(0)
            raise KeyError
    assert ended == ["ended"]
