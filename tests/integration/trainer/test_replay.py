"""Replayed vectors are the live ones, bit for bit, however late the slates reached the log."""

from __future__ import annotations

import random

from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import decode_record
from eddyline_eventlog.memory import MemoryLog
from eddyline_features.state import State
from eddyline_learning.examples import Examples
from eddyline_learning.fold import Vectors
from eddyline_learning.labels import Labelling
from eddyline_trainer.replay import replay_slates
from tests.support.a_log import a_slate
from tests.support.serving import fixture_view
from tests.support.training import LINES

VIEW = fixture_view()


class Live:
    """A log, the live state on it, and a ranker whose slates reach the log some events late."""

    def __init__(self, seed: int) -> None:
        self.log = MemoryLog()
        self.served: dict[str, Vectors] = {}
        """Vectors by slate, over its candidates."""
        self.n_late = 0
        """Slates with events between their state and their own place."""
        self._rng = random.Random(seed)
        self._state = State(VIEW)

    async def run(self) -> None:
        """Live through the fixture."""
        under_way: list[tuple[int, SlateServed]] = []
        for n, line in enumerate(LINES):
            await self._append(line)
            for _, slate in [waiting for waiting in under_way if waiting[0] <= n]:
                assert slate.features_sequence is not None
                self.n_late += await self._append(slate) > slate.features_sequence + 1
            under_way = [waiting for waiting in under_way if waiting[0] > n]
            if n > 80 and self._rng.random() < 0.3:
                under_way.append((n + self._rng.randrange(12), self._rank(f"r{n}")))

    async def _append(self, event: bytes | SlateServed) -> int:
        after, sequence = await self.log.last(), self.log.append(event)
        async for batch in self.log.read(after, sequence):
            self._state.apply_all([decode_record(record) for record in batch.records])
        return sequence

    def _rank(self, name: str) -> SlateServed:
        rng, state = self._rng, self._state
        candidates = [f"i{k}" for k in rng.sample(range(60), 8)]
        fields = {item: {"relevancy": rng.random()} for item in candidates}
        user, session = f"u{rng.randrange(20)}", f"x{rng.randrange(20)}"
        context = {"device": rng.choice(["phone", "desk"])}
        at = state.time_of(None, state.clock + rng.randrange(3_000))
        in_order = [fields[item] for item in candidates]
        self.served[name] = state.vectors(user, session, candidates, in_order, context, at)
        return a_slate(
            name,
            rng.sample(candidates, 8),
            at=at,
            user=user,
            session=session,
            features_sequence=state.sequence,
            ranked_at=at,
            candidates=candidates,
            fields=fields,
            context=context,
        )


async def test_each_slate_of_the_ranker_has_the_vectors_that_it_was_ranked_by() -> None:
    live = Live(seed=1)
    await live.run()
    seen = 0
    async for slate in replay_slates(live.log, VIEW, await live.log.last()):
        if slate.id in live.served:
            assert slate.vectors is not None
            assert slate.vectors.tobytes() == live.served[slate.id].tobytes()
            seen += 1
    assert seen > 100
    assert live.n_late > 70


async def test_training_takes_the_very_same_vectors() -> None:
    live = Live(seed=2)
    await live.run()
    log = [
        decode_record(record)
        async for batch in live.log.read(0, await live.log.last())
        for record in batch.records
    ]
    examples = Examples(State(VIEW), Labelling("click", VIEW.actions), VIEW.label_window_ms)
    seen = 0
    for index, logged in enumerate(log):
        examples.ahead(logged)
        if index % 50 == 0:
            examples.behind([e for e in log if examples.fold_sequence < e.sequence <= examples.fold_until])
            for example in examples.drain():
                if example.slate in live.served:
                    assert example.vectors.tobytes() == live.served[example.slate].tobytes()
                    seen += 1
    assert seen > 100


async def test_a_clients_slate_has_those_of_the_state_just_before_it() -> None:
    live = Live(seed=3)
    await live.run()
    wanted = {"slate-0050", "slate-0150"}
    found = [slate async for slate in replay_slates(live.log, VIEW, await live.log.last(), only=wanted)]
    assert {slate.id for slate in found} == wanted
    for slate in found:
        state = State(VIEW)
        async for batch in live.log.read(0, slate.sequence - 1):
            state.apply_all([decode_record(record) for record in batch.records])
        at = state.time_of(slate.occurred_at, 0)
        expected = state.vectors(
            slate.user, slate.session, slate.candidates, slate.item_fields, slate.context, at
        )
        assert slate.vectors is not None
        assert slate.vectors.tobytes() == expected.tobytes()
