"""The demo pauses for the trainer within bounds, and counts what it paused."""

from __future__ import annotations

from eddyline_cli.demo.pacing import Pacing


async def test_no_pause_while_the_trainer_keeps_up() -> None:
    async def trainer() -> int:
        return 95

    pacing = Pacing(trainer, most_behind=10)
    await pacing.keep(100)
    assert pacing.paused_s == 0.0


async def test_a_pause_ends_when_the_trainer_has_caught_up() -> None:
    places = iter([10, 20, 95])

    async def trainer() -> int:
        return next(places)

    pacing = Pacing(trainer, most_behind=10)
    await pacing.keep(100)
    assert 0.0 < pacing.paused_s < 5.0


async def test_pauses_are_bounded_each_and_in_all() -> None:
    async def trainer() -> int:
        return 0

    pacing = Pacing(trainer, most_behind=10, at_once_s=0.2, in_all_s=0.3)
    for _ in range(5):
        await pacing.keep(100)
    assert 0.3 <= pacing.paused_s < 1.0


async def test_a_trainer_that_does_not_say_is_not_waited_for() -> None:
    async def trainer() -> None:
        return None

    pacing = Pacing(trainer, most_behind=10)
    await pacing.keep(100)
    assert pacing.paused_s == 0.0
