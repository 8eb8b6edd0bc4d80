"""Laws of the fold behind a log: what is sent again counts once, and no vector sees its own event or a later one."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.events import InteractionRecorded, ItemEmbedded, SlateServed, type_of
from eddyline_contracts.limits import Refusal
from eddyline_contracts.record import Logged, decode_record
from eddyline_eventlog.admission import Offline
from eddyline_eventlog.file import FileLog
from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.port import Log
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.examples import Example, Examples
from eddyline_learning.labels import Labelling
from eddyline_learning.pending import pending_of
from eddyline_learning.taking import vectors_of
from tests.property.features.histories import lengths, randoms, roomy_view, ugly_history, views
from tests.property.features.law import examples

laws = examples(25)


def payload(logged: Logged) -> bytes:
    """The event as a client sends it."""
    told = {name: getattr(logged.event, name) for name in logged.event.__struct_fields__}
    if isinstance(logged.event, SlateServed):
        told["items"] = [{"item": item.item, "fields": item.fields} for item in logged.event.items]
    told |= {"type": type_of(logged.event), "id": logged.id, "occurred_at": logged.occurred_at}
    if isinstance(logged.event, ItemEmbedded):
        told["vector"] = base64.b64encode(logged.event.vector).decode()
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def again(rng: Random, sent: Sequence[bytes]) -> list[bytes]:
    """The same, with some of them sent once more later on, now and then as something else under the same id."""
    found: list[bytes] = []
    for at, one in enumerate(sent):
        found.append(one)
        for _ in range(rng.choice((0, 0, 1, 2))):
            told: dict[str, Any] = json.loads(rng.choice(sent[: at + 1]))
            if rng.randrange(2):
                told["user"] = "somebody else"
            found.append(json.dumps(told).encode())
    return found


def in_memory(sent: Sequence[bytes], folder: Path) -> Log:
    log = MemoryLog(max_rows=3)
    for one in sent:
        log.append(one)
    return log


def in_a_file(sent: Sequence[bytes], folder: Path) -> Log:
    path = folder / f"{len(sent)}.jsonl"
    path.write_bytes(b"".join(one + b"\n" for one in sent))
    return FileLog(path, max_rows=3)


async def followed(view: View, log: Log) -> State:
    """The state behind a log, at its end."""
    state = State(view)
    async for batch in log.read(0, await log.last()):
        for record in batch.records:
            state.apply(decode_record(record))
        state.advance(batch.last)
    return state


def of_first_ones(view: View, sent: Sequence[bytes]) -> State:
    """The state when of each id only the first event that may enter is folded, at its place."""
    state, places, seen = State(view), Offline(), set[str]()
    for one in sent:
        if json.loads(one)["id"] in seen:
            places.skip()
            continue
        with suppress(Refusal):
            record = places.take(one, assigned_id=None)
            assert record is not None
            seen.add(record.event_id)
            state.apply(decode_record(record))
    state.advance(places.sequence)
    return state


@laws
@given(randoms, lengths, views, st.sampled_from([in_memory, in_a_file]))
def test_an_event_that_is_sent_again_counts_once(
    rng: Random, n: int, view: View, log_of: Callable[[Sequence[bytes], Path], Log]
) -> None:
    sent = again(rng, [payload(logged) for logged in ugly_history(rng, n)])
    with tempfile.TemporaryDirectory() as folder:
        state = asyncio.run(followed(view, log_of([*sent, *sent], Path(folder))))
    assert state.sequence == 2 * len(sent)
    assert state.snapshot() == of_first_ones(view, [*sent, *sent]).snapshot()


def a_history_of_slates(rng: Random, n: int) -> list[Logged]:
    """A history whose interactions name slates that were before, so that they are labels."""
    history, slates = [], ["any"]
    for logged in ugly_history(rng, n):
        event = logged.event
        if isinstance(event, SlateServed):
            slates.append(logged.id)
        elif isinstance(event, InteractionRecorded):
            event = msgspec.structs.replace(event, slate=rng.choice(slates[-3:]))
        history.append(msgspec.structs.replace(logged, event=event))
    return history


def examples_of(view: View, log: Sequence[Logged]) -> list[Example]:
    """What a booster would learn from."""
    examples = Examples(State(view), Labelling("click", view.actions), view.label_window_ms)
    made: list[Example] = []
    for logged in log:
        examples.ahead(logged)
        examples.behind([e for e in log if examples.fold_sequence < e.sequence <= examples.fold_until])
        made += examples.drain()
    return made


def served_before(view: View, log: Sequence[Logged]) -> dict[int, dict[str, bytes]]:
    """By slate and item: the vector at the moment before the slate, when nothing of it was known yet."""
    state, found = State(view), {}
    for logged in log:
        if isinstance(logged.event, SlateServed):
            slate = pending_of(logged, logged.event)
            vectors = vectors_of(state, slate)
            found[logged.sequence] = {
                item: vector.tobytes() for item, vector in zip(slate.candidates, vectors, strict=True)
            }
        state.apply(logged)
    return found


@laws
@given(randoms, lengths, views, lengths)
def test_an_example_has_the_vectors_of_the_moment_before_its_slate_whatever_follows(
    rng: Random, n: int, view: View, more: int
) -> None:
    history = a_history_of_slates(rng, n)
    served = served_before(view, history)
    end = history[-1].sequence
    others = [
        msgspec.structs.replace(logged, sequence=logged.sequence + end + 1, id=f"other {logged.id}")
        for logged in a_history_of_slates(rng, more)
    ]
    cut = history[: rng.randrange(n) + 1]
    for log in (history, [*history, *others], [*cut, *others]):
        for example in examples_of(view, log):
            if example.sequence in served and example.sequence <= cut[-1].sequence:
                for item, vector in zip(example.items, example.vectors, strict=True):
                    assert vector.tobytes() == served[example.sequence][item]


def test_such_histories_have_examples() -> None:
    """Or the law above would be about nothing."""
    histories = [a_history_of_slates(Random(seed), 60) for seed in range(5)]
    assert sum(len(examples_of(roomy_view(), history)) for history in histories) > 20
