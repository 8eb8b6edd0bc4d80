"""How far the fold trails: never less than the window, never much more, whatever the times are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eddyline_learning.watermarks import TrailingMark

times = st.lists(st.integers(0, 5_000), min_size=1, max_size=200)


@given(times=times, window=st.integers(0, 3_000))
def test_the_fold_passes_only_events_that_lie_the_whole_window_behind(times: list[int], window: int) -> None:
    mark = TrailingMark(window)
    clocks: list[int] = []
    for sequence, at in enumerate(times, 1):
        clocks.append(max(at, clocks[-1] if clocks else -1))
        before = mark.sequence
        moved = mark.advance(sequence, at)
        assert moved == (mark.sequence > before)
        assert mark.clock == clocks[-1]
        if mark.sequence:
            assert clocks[mark.sequence - 1] <= mark.clock - window
        # And it passes all that lie a little further behind: two steps of 1/256 each.
        step = -(-window // 256) + 1
        assert all(clock > mark.clock - window - 2 * step for clock in clocks[mark.sequence :])


@given(times=times)
def test_events_without_a_time_to_tell_are_passed_with_the_next_ones(times: list[int]) -> None:
    mark = TrailingMark(100)
    for sequence, at in enumerate(times, 1):
        mark.pass_by(2 * sequence - 1)
        mark.advance(2 * sequence, at)
        assert mark.sequence % 2 == 1 or mark.sequence == 0
