"""What the fold costs: ``python -m benchmarks.fold``. In one thread; medians over several runs."""

from __future__ import annotations

import dataclasses
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs

from benchmarks.area import alone
from benchmarks.data import find
from benchmarks.enriched import VIEW, a_context, enriched
from benchmarks.report import Figure, at_least, at_most, told
from eddyline_contracts.events import ItemUpserted, SlateItem, SlateServed, type_of
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import View, load_view

N_ITEMS, N_USERS = 200_000, 50_000
N_ONE_OFF = 1_000_000
_FUTURE = 2**52
_START = 1_790_000_000_000
_BUDGETS_US = {"item": 60.0, "slate of 24": 40.0, "click": 12.0, "mean of RankLens": 20.0}


def measure(seconds: float) -> list[Figure]:
    """All figures; ``seconds`` sets how often each is repeated."""
    runs = max(1, min(5, round(seconds / 5)))
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        data = find(Path(folder))
        records = [Record(k, str(k), "", _FUTURE, _FUTURE, line) for k, line in enumerate(data.lines(), 1)]
    # Read before anything is timed: features of every kind, over events that have something for each.
    full = load_view(VIEW)
    view = load_view(data.view)
    print(f"{data.name}: {len(records):,} events, {len(view.columns)} columns", file=sys.stderr)
    # First of all, while nothing of this process has been freed that could be used again.
    large = _large(full)
    logs = [decode_record(record) for record in records]
    of_name = f"{len(records):,} events of {data.name}"
    rich = enriched(logs)
    rich_logs = [decode_record(record) for record in rich]
    print(f"every kind: {len(rich):,} events, {len(full.columns)} columns", file=sys.stderr)
    return [
        *_applies(view, logs, data.name, runs),
        *_reads(view, logs, data.name),
        *_replays(view, records, of_name, runs),
        *_of_every_kind(_applies(full, rich_logs, data.name, runs)),
        *_of_every_kind(_reads(full, rich_logs, data.name)),
        *_of_every_kind(_replays(full, rich, of_name, runs)),
        *_of_every_kind(large),
        *_one_off_users(),
        *_cold_start(data.view, runs),
        *_of_every_kind(_cold_start(VIEW, 1)),
    ]


def _of_every_kind(figures: list[Figure]) -> list[Figure]:
    return [structs.replace(figure, name=f"every kind: {figure.name}") for figure in figures]


def _one_off_users() -> list[Figure]:
    """A million people who come once: from where the limit is reached, memory stays."""
    view = load_view(VIEW)
    limits = dataclasses.replace(view.limits, items=1_000, users=N_ONE_OFF // 10, sessions=N_ONE_OFF // 10)
    state = State(dataclasses.replace(view, limits=limits))
    rng = random.Random(1)
    full = 0
    for sequence in range(1, N_ONE_OFF + 1):
        if sequence == N_ONE_OFF // 5:
            full = _resident()
        shown = [SlateItem(item=f"i{rng.randrange(1_000)}") for _ in range(4)]
        event = SlateServed(user=f"{sequence:036d}", items=shown, context=a_context(rng, ["a film"]))
        state.apply(Logged(sequence, "", _START + 10 * sequence, _START + 10 * sequence, event))
    grown = (_resident() - full) / full
    return [
        at_most(f"memory after {N_ONE_OFF:,} one-off users, beyond a limit of a tenth", 100 * grown, "%", 2)
    ]


def _median(run: Callable[[], Any], times: int) -> float:
    """Seconds."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


_START_FOLD = (
    "import sys; from eddyline_features.state import State; from eddyline_features.view import load_view; "
    "State(load_view(sys.stdin.read()))"
)


def _cold_start(view: str, runs: int) -> list[Figure]:
    def seconds(script: str, cache: str) -> float:
        started = time.perf_counter()
        environ = {"NUMBA_CACHE_DIR": cache, "PATH": ""}
        subprocess.run([sys.executable, "-c", script], env=environ, check=True, input=view, text=True)
        return time.perf_counter() - started

    not_cached, cached, floor = [], [], []
    for _ in range(max(1, runs // 2)):
        with tempfile.TemporaryDirectory() as folder:
            floor.append(seconds("import numba, numpy", folder))
            not_cached.append(seconds(_START_FOLD, folder))
            cached.append(seconds(_START_FOLD, folder))
    bare = statistics.median(floor)
    return [
        at_most("cold start of the fold, cached", statistics.median(cached), "s", 2, bare),
        at_most("cold start of the fold, not cached", statistics.median(not_cached), "s", 6, bare),
    ]


def _applies(view: View, logs: Sequence[Logged], name: str, runs: int) -> list[Figure]:
    kinds = [type_of(logged.event) for logged in logs]
    means: dict[str, list[float]] = {}
    for _ in range(runs):
        spent = dict.fromkeys(kinds, 0.0)
        state = State(view)
        for kind, logged in zip(kinds, logs, strict=True):
            started = time.perf_counter()
            state.apply(logged)
            spent[kind] += time.perf_counter() - started
        for kind, total in spent.items():
            means.setdefault(kind, []).append(1e6 * total / kinds.count(kind))
        means.setdefault("mean", []).append(1e6 * sum(spent.values()) / len(logs))
    titles = {"slate": "slate of 24", "interaction": "click", "mean": f"mean of {name}"}
    return [
        at_most(
            f"state.apply: {titles.get(kind, kind)}",
            statistics.median(of_kind),
            "µs",
            _BUDGETS_US.get(titles.get(kind, kind)),
        )
        for kind, of_kind in means.items()
    ]


def _replays(view: View, records: Sequence[Record], name: str, runs: int) -> list[Figure]:
    def decode_only() -> None:
        for record in records:
            decode_record(record)

    def without_vectors() -> None:
        State(view).apply_all(map(decode_record, records))

    def with_vectors() -> None:
        state = State(view)
        for record in records:
            logged = decode_record(record)
            if isinstance(logged.event, SlateServed):
                _ask(state, logged)
            state.apply(logged)

    decoding = _median(decode_only, runs)
    rate = len(records) / _median(without_vectors, runs)
    whole = _median(with_vectors, runs)
    return [
        at_least(
            "replay, decoding included (floor: decoding)", rate, "events/s", 40_000, len(records) / decoding
        ),
        at_most(
            f"replay with every slate's vectors, {name}",
            whole,
            "s",
            2 if "RankLens" in name else None,
            decoding,
        ),
    ]


def _ask(state: State, logged: Logged) -> None:
    event = logged.event
    assert isinstance(event, SlateServed)
    items, fields = [item.item for item in event.items], [item.fields for item in event.items]
    at = state.time_of(logged.occurred_at, 0)
    state.vectors(event.user, event.session, items, fields, event.context, at)


def _reads(view: View, logs: Sequence[Logged], name: str) -> list[Figure]:
    state = State(view)
    state.apply_all(logs)
    users, items = list(state.users.rows)[-300:], list(state.items.rows)
    raw = state.snapshot()
    return [
        _vectors(state, users, items, 100, f"100 items, {name}", 0.15),
        told("snapshot", 1e3 * _median(state.snapshot, 5), "ms"),
        told("snapshot, size", len(raw) / 1e6, "MB"),
        told("restore", 1e3 * _median(lambda: State.restore(view, raw), 3), "ms"),
    ]


def _vectors(
    state: State, users: Sequence[str], items: Sequence[str], n: int, what: str, budget: float
) -> Figure:
    """Median over requests; the floor copies as many numbers from a table of as many rows."""
    rng = random.Random(n)
    table = np.zeros((len(items), len(state.view.columns)), np.float32)
    took, bare = [], []
    for _ in range(300):
        user, asked = rng.choice(users), rng.sample(items, n)
        started = time.perf_counter()
        state.vectors(user, user, asked, None, {}, state.clock)
        took.append(time.perf_counter() - started)
        rows = np.array(rng.sample(range(len(items)), n))
        started = time.perf_counter()
        table[rows]
        bare.append(time.perf_counter() - started)
    return at_most(
        f"state.vectors: {what}", 1e3 * statistics.median(took), "ms", budget, 1e3 * statistics.median(bare)
    )


def _large(view: View) -> list[Figure]:
    """A catalogue of 200,000 and what it takes; ids are UUIDs in length."""
    rng = random.Random(1)
    limits = dataclasses.replace(view.limits, items=N_ITEMS, users=N_USERS, values=100_000)
    state = State(dataclasses.replace(view, limits=limits))
    items, users = [f"{n:036d}" for n in range(N_ITEMS)], [f"{n:036d}" for n in range(N_USERS)]
    before = _resident()
    for sequence, item in enumerate(items, 1):
        fields = {
            "title": f"the film number {sequence}",
            "description": "a story of two people and what became of them in the end " * 4,
            "director": f"d{rng.randrange(20_000)}",
            "shots": [rng.random() for _ in range(4)],
            "popularity": rng.random(),
            "genres": rng.sample(("a", "b", "c", "d", "e"), 3),
            "tags": [f"t{rng.randrange(5_000)}" for _ in range(10)],
            "actors": [f"a{rng.randrange(20_000)}" for _ in range(3)],
        }
        state.apply(Logged(sequence, "", _FUTURE, _FUTURE, ItemUpserted(item=item, fields=fields)))
    # The ids were there before: their bytes are counted by hand.
    per_item = (_resident() - before) / N_ITEMS + sys.getsizeof(items[0])
    before = _resident()
    for sequence, user in enumerate(users, N_ITEMS + 1):
        shown = [SlateItem(item=items[rng.randrange(N_ITEMS)]) for _ in range(24)]
        event = SlateServed(user=user, session="s", items=shown)
        state.apply(Logged(sequence, "", _FUTURE, _FUTURE, event))
    per_user = (_resident() - before) / N_USERS + sys.getsizeof(users[0])
    of = f"of {N_ITEMS:,}"
    return [
        _vectors(state, users, items, 100, f"100 items {of}", 0.4),
        _vectors(state, users, items, 1_000, f"1,000 items {of}", 3),
        at_most("memory: an item, id and values included", per_item, "bytes", 1_200),
        at_most("memory: a user, id included", per_user, "bytes", 2_500),
    ]


def _resident() -> int:
    """Bytes of memory in use by this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    return pages * resource.getpagesize()


if __name__ == "__main__":
    alone(__doc__, measure)
