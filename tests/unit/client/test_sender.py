"""Events leave in order, are tried again under the same id, wait when too many are held, and never vanish."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_client.carrier import Again, Outcome, Refused, Stored
from eddyline_client.errors import Closed, Rejected, RejectedEvent, Unavailable
from eddyline_client.options import Batching
from eddyline_client.outgoing import Outgoing, Ticket, outgoing_of
from eddyline_client.own_writes import OwnWrites
from eddyline_client.sender import OnRejected, Sender, sent_of
from tests.support.waiting import wait_until

QUICK = {"first_backoff_s": 0.001, "max_backoff_s": 0.002, "linger_s": 0.0}


class MemoryCarrier:
    """An inbox in memory. ``failing`` says of each attempt how many of its events, from the first, get through."""

    def __init__(self, failing: Sequence[int] = (), refused: frozenset[str] = frozenset()) -> None:
        self.stored: list[str] = []
        self.attempts: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self._failing = list(failing)
        self._refused = refused

    async def send(self, events: Sequence[Outgoing]) -> list[Outcome]:
        await self.open.wait()
        self.attempts.append([event.id for event in events])
        through = self._failing.pop(0) if self._failing else len(events)
        outcomes: list[Outcome] = []
        for event in events[:through]:
            if event.id in self._refused:
                outcomes.append(Refused("invalid", "no"))
                continue
            self.stored.append(event.id)
            outcomes.append(Stored(len(self.stored)))
        return outcomes + [Again("away")] * (len(events) - len(outcomes))

    async def close(self) -> None:
        pass


def a_sender(carrier: MemoryCarrier, on_rejected: OnRejected | None = None, **options: float) -> Sender:
    return Sender(carrier, Batching(**{**QUICK, **options}), OwnWrites("user"), on_rejected)  # type: ignore[arg-type]


def an_event(name: str) -> Outgoing:
    return outgoing_of({"type": "interaction", "id": name, "user": "u", "item": "i"})


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), failing=st.lists(st.integers(0, 5), max_size=12), size=st.integers(1, 7))
def test_whatever_fails_each_event_is_stored_once_and_in_order(n: int, failing: list[int], size: int) -> None:
    async def run() -> list[str]:
        carrier = MemoryCarrier(failing)
        sender = a_sender(carrier, max_events=size)
        for number in range(n):
            await sender.take(an_event(str(number)), 10)
        await sender.flush(10)
        await sender.close(10)
        return carrier.stored

    assert asyncio.run(run()) == [str(number) for number in range(n)]


async def test_a_call_waits_while_too_many_events_are_held() -> None:
    carrier = MemoryCarrier()
    carrier.open.clear()
    sender = a_sender(carrier, max_pending_events=3)
    for number in range(3):
        await sender.take(an_event(str(number)), 10)
    fourth = asyncio.create_task(sender.take(an_event("3"), 10))
    await wait_until(lambda: sender._under_way != [])
    assert not fourth.done()
    carrier.open.set()
    assert await fourth == 4
    await sender.close(10)
    assert carrier.stored == ["0", "1", "2", "3"]


async def test_a_call_that_finds_no_room_in_time_says_that_its_event_was_not_taken() -> None:
    carrier = MemoryCarrier()
    carrier.open.clear()
    sender = a_sender(carrier, max_pending_events=1)
    await sender.take(an_event("0"), 10)
    with pytest.raises(Unavailable, match="event 1 was not taken"):
        await sender.take(an_event("1"), 0.02)
    carrier.open.set()
    await sender.close(10)
    assert carrier.stored == ["0"]


async def test_a_fault_in_the_carrier_does_not_end_the_sending(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(MemoryCarrier):
        async def send(self, events: Sequence[Outgoing]) -> list[Outcome]:
            if not self.attempts:
                self.attempts.append([])
                raise KeyError("ours")
            return await super().send(events)

    carrier = Faulty()
    sender = a_sender(carrier)
    await sender.take(an_event("0"), 10)
    await sender.close(10)
    assert carrier.stored == ["0"]
    assert "sending failed" in caplog.text


async def test_closing_tells_which_events_nobody_acknowledged() -> None:
    carrier = MemoryCarrier()
    carrier.open.clear()
    sender = a_sender(carrier, max_events=2)
    for number in range(5):
        await sender.take(an_event(str(number)), 10)
    with pytest.raises(Unavailable) as told:
        await sender.close(0.05)
    assert [event.id for event in told.value.unsent] == ["0", "1", "2", "3", "4"]
    with pytest.raises(Closed):
        await sender.take(an_event("5"), 10)


async def test_a_refused_event_is_told_with_its_place_and_the_others_are_stored() -> None:
    carrier = MemoryCarrier(refused=frozenset({"1"}))
    sender, ticket = a_sender(carrier), Ticket()
    for index in range(3):
        event = an_event(str(index))
        event.index, event.ticket = index, ticket
        number = await sender.take(event, 10)
    await sender.settle(number, 10)
    with pytest.raises(Rejected) as told:
        sent_of(ticket)
    assert [(event.index, event.id, event.code) for event in told.value.rejected] == [(1, "1", "invalid")]
    assert carrier.stored == ["0", "2"]
    await sender.close(10)


async def test_a_refusal_that_nobody_waits_for_goes_to_the_callback_or_is_raised_by_flush() -> None:
    seen: list[RejectedEvent] = []
    sender = a_sender(MemoryCarrier(refused=frozenset({"0"})), seen.append)
    await sender.take(an_event("0"), 10)
    await sender.flush(10)
    assert [event.id for event in seen] == ["0"]
    await sender.close(10)

    sender = a_sender(MemoryCarrier(refused=frozenset({"0"})))
    await sender.take(an_event("0"), 10)
    with pytest.raises(Rejected):
        await sender.flush(10)
    # It was told: it is not told again.
    await sender.close(10)


async def test_events_that_come_together_leave_together() -> None:
    carrier = MemoryCarrier()
    sender = a_sender(carrier, linger_s=5.0, max_events=4)
    for number in range(4):
        await sender.take(an_event(str(number)), 10)
    await wait_until(lambda: len(carrier.stored) == 4)
    assert carrier.attempts == [["0", "1", "2", "3"]]
    await sender.close(10)
