"""Room that costs nothing before it is written, also in a process that has let go of large arrays before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eddyline_features.reserving import reserved
from eddyline_features.state import State
from tests.support.serving import fixture_view


def resident() -> int:
    """Bytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("shape", [0, 7, (0, 3), (3, 5), 40_000, (70_000, 9), (2, 600_000)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.uint8])
def test_it_is_zeros_as_numpys(shape: int | tuple[int, ...], dtype: Any) -> None:
    room, expected = reserved(shape, dtype), np.zeros(shape, dtype)
    assert (room.shape, room.dtype, room.strides) == (expected.shape, expected.dtype, expected.strides)
    assert room.flags.c_contiguous
    assert room.flags.writeable
    assert room.flags.aligned
    assert not room.any()
    room[...] = 1
    assert room.all()


def test_a_copy_of_the_process_keeps_what_was_there_when_it_was_made() -> None:
    room = reserved(100_000)
    room[5] = 1.0
    (asked, ask), (told, tell) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.read(asked, 1)
        os.write(tell, room[5].tobytes())
        os._exit(0)
    room[5] = 2.0
    os.write(ask, b"!")
    answer = np.frombuffer(os.read(told, 8))
    os.waitpid(child, 0)
    for end in (asked, ask, told, tell):
        os.close(end)
    assert (answer[0], room[5]) == (1.0, 2.0)


def test_a_further_state_takes_no_memory_for_what_it_has_room_for() -> None:
    view = fixture_view()
    kept, taken = [], []
    for _ in range(6):
        # As a replay beside the live fold: a state comes and goes, and something small stays behind it.
        before = resident()
        state = State(view)
        taken.append(resident() - before)
        kept += [state.snapshot(), bytes(200_000)]
        del state
    assert max(taken[1:]) < 40 << 20, taken
