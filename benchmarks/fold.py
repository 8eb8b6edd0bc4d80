"""What the fold costs: ``python benchmarks/fold.py [EVENTS]``, beside the budgets it has to keep.

EVENTS is a JSONL file of events (``.gz`` too), RankLens unless said otherwise. Times are the best of several runs, in
one thread, since the rest is noise of the machine.
"""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateItem, SlateServed, type_of
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import View, load_view

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / ".." / "shared" / "data" / "ranklens" / "events.jsonl.gz"
N_ITEMS = 200_000
N_USERS = 50_000
_FUTURE = 2**52


def main() -> None:
    """Measure and print."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    view = load_view((ROOT / "examples" / "ranklens.yaml").read_text())
    print(f"{path.name}, view {view.id}, {len(view.columns)} columns\n")
    _cold_start()
    records = [_record(index, line) for index, line in enumerate(_lines(path), start=1)]
    logs = [decode_record(record) for record in records]
    _applies(view, logs)
    _replays(view, records)
    state = State(view)
    state.apply_all(logs)
    _reads(state, logs)
    _large(view)


def _line(what: str, measured: str, budget: str) -> None:
    print(f"{what:58} {measured:>16}   budget {budget}")


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        yield from lines


def _record(index: int, line: bytes) -> Record:
    return Record(index, str(index), "", _FUTURE, _FUTURE, line)


def _best(run: Callable[[], Any], times: int) -> float:
    """Seconds of the fastest of several runs."""
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def _cold_start() -> None:
    script = "import eddyline_features.state"
    with tempfile.TemporaryDirectory() as folder:
        environment = {"NUMBA_CACHE_DIR": folder, "PATH": ""}
        for what, budget in (("not cached", "6 s"), ("cached", "2 s")):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", script], env=environment, check=True)
            _line(f"cold start, compiled code {what}", f"{time.perf_counter() - started:.2f} s", budget)


def _applies(view: View, logs: list[Logged]) -> None:
    budgets = {ItemUpserted: "60 µs", SlateServed: "40 µs (24 items)", InteractionRecorded: "12 µs"}
    best: dict[type, float] = {}
    total = float("inf")
    for _ in range(3):
        spent: dict[type, float] = {}
        counts: dict[type, int] = {}
        state = State(view)
        for logged in logs:
            kind = type(logged.event)
            started = time.perf_counter()
            state.apply(logged)
            spent[kind] = spent.get(kind, 0.0) + time.perf_counter() - started
            counts[kind] = counts.get(kind, 0) + 1
        for kind, seconds in spent.items():
            best[kind] = min(best.get(kind, float("inf")), seconds / counts[kind])
        total = min(total, sum(spent.values()) / len(logs))
    for kind, seconds in best.items():
        example = next(logged.event for logged in logs if type(logged.event) is kind)
        _line(f"apply: {type_of(example)}", f"{seconds * 1e6:.1f} µs", budgets.get(kind, "-"))
    _line("apply: mean", f"{total * 1e6:.1f} µs", "20 µs")


def _replays(view: View, records: list[Record]) -> None:
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

    _line("decoding alone", f"{len(records) / _best(decode_only, 3):,.0f} events/s", "-")
    seconds = _best(without_vectors, 3)
    _line("replay, decoding included", f"{len(records) / seconds:,.0f} events/s", "40,000 events/s")
    _line("replay with every slate's vectors", f"{_best(with_vectors, 3):.2f} s", "2 s (RankLens)")


def _ask(state: State, logged: Logged) -> None:
    event = logged.event
    assert isinstance(event, SlateServed)
    items, fields = [item.item for item in event.items], [item.fields for item in event.items]
    at = state.time_of(logged.occurred_at, 0)
    state.vectors(event.user, event.session, items, fields, event.context, at)


def _reads(state: State, logs: list[Logged]) -> None:
    user = next(iter(reversed(state.users.rows)))
    items = list(state.items.rows)[-100:]
    slate = next(logged for logged in reversed(logs) if isinstance(logged.event, SlateServed))
    _line("vectors: a slate of the file", f"{_best(lambda: _ask(state, slate), 300) * 1e3:.3f} ms", "-")
    seconds = _best(lambda: state.vectors(user, user, items, None, {}, state.clock), 300)
    _line(f"vectors: {len(items)} items", f"{seconds * 1e3:.3f} ms", "0.15 ms")
    raw = state.snapshot()
    seconds = _best(state.snapshot, 5)
    _line(f"snapshot, {len(raw) / 1e6:.1f} MB", f"{seconds * 1e3:.0f} ms", "-")
    _line("restore", f"{_best(lambda: State.restore(state.view, raw), 3) * 1e3:.0f} ms", "-")


def _large(view: View) -> None:
    import dataclasses
    import random

    rng = random.Random(1)
    limits = dataclasses.replace(view.limits, items=N_ITEMS, users=N_USERS, values=100_000)
    state = State(dataclasses.replace(view, limits=limits))
    before, sequence = _resident(), 0
    for n in range(N_ITEMS):
        sequence += 1
        fields = {
            "popularity": rng.random(),
            "genres": rng.sample(("a", "b", "c", "d", "e"), 3),
            "tags": [f"t{rng.randrange(5_000)}" for _ in range(10)],
            "actors": [f"a{rng.randrange(20_000)}" for _ in range(3)],
        }
        state.apply(Logged(sequence, "", _FUTURE, _FUTURE, ItemUpserted(item=f"{n:036d}", fields=fields)))
    per_item = (_resident() - before) / N_ITEMS
    before = _resident()
    for n in range(N_USERS):
        sequence += 1
        items = [SlateItem(item=f"{rng.randrange(N_ITEMS):036d}") for _ in range(24)]
        event = SlateServed(user=f"{n:036d}", session="s", items=items)
        state.apply(Logged(sequence, "", _FUTURE, _FUTURE, event))
    per_user = (_resident() - before) / N_USERS
    for n, budget in ((100, "0.4 ms"), (1_000, "3 ms")):
        asked = [f"{rng.randrange(N_ITEMS):036d}" for _ in range(n)]
        users = iter([f"{rng.randrange(N_USERS):036d}" for _ in range(200)])
        seconds = _best(lambda: state.vectors(next(users), "s", asked, None, {}, state.clock), 100)  # noqa: B023
        _line(f"vectors: {n:,} of {N_ITEMS:,} items", f"{seconds * 1e3:.3f} ms", budget)
    _line("memory: an item, ids and values included", f"{per_item:,.0f} bytes", "1,200 bytes")
    _line("memory: a user, ids included", f"{per_user:,.0f} bytes", "2,500 bytes")
    seconds = _best(state.snapshot, 2)
    _line(f"snapshot, {len(state.snapshot()) / 1e6:.0f} MB", f"{seconds * 1e3:.0f} ms", "-")


def _resident() -> int:
    """Bytes of memory in use by this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
