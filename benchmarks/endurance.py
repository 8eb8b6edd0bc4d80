"""Two hundred cycles and more, one after another: ``python -m benchmarks.endurance``.

Made-up people turn their tastes now and then and click on what the champion shows them; the learner makes a model every
hundred lists. What must not happen in the long run: trees that add up, a cycle that takes far longer than the others,
answers that become slower with each model, memory that grows. Everything is compared with itself: the first quarter of
the cycles with the last, the longest cycle with the median, by CPU time, since other work on the machine would else be
what is measured. An answer is what a ranker computes: vectors of the fold as it stands, and the champion's scores.

After that all these models become champions of a real ranker, one after another, while it is asked: see `succession`.
"""

from __future__ import annotations

import gc
import tempfile
import time
from array import array
from pathlib import Path

import numpy as np
import psutil

from benchmarks import succession
from benchmarks.area import SECONDS, alone
from benchmarks.report import Figure, at_least, at_most, told
from eddyline_contracts.bundle import Bundle, decode_bundle, encode_bundle
from eddyline_contracts.events import Event
from eddyline_features.view import load_view
from tests.support.closed_loop.loop import ClosedLoop
from tests.support.closed_loop.story import Story
from tests.support.closed_loop.views import a_declaration

N_CYCLES = 220
_EVERY, _LISTS_PER_S, _TURN_S = 100, 60, 60
_STEP_S = 1.0
_BEGINNING = 20
"""Cycles at the beginning that do not count for memory: the ring of examples has to fill."""


def measure(seconds: float) -> list[Figure]:
    """All figures; with fewer ``seconds`` than usual, of fewer cycles and without a budget."""
    n_cycles = max(12, round(N_CYCLES * min(1.0, seconds / SECONDS)))
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        declaration = a_declaration(learn_every=_EVERY)
        told_here, past = _in_process(declaration, n_cycles, Path(folder))
        bundles = [decode_bundle(path.read_bytes()) for path in sorted(Path(folder).iterdir())]
        return told_here + succession.measure(declaration, past, bundles, whole=n_cycles >= N_CYCLES)


def _in_process(declaration: str, n_cycles: int, folder: Path) -> tuple[list[Figure], list[Event]]:
    """The cycles, whose models are put into the folder in their order; and what happened at the beginning."""
    view = load_view(declaration)
    story = Story(
        mood=lambda at: 1.0 if at % (2 * _TURN_S) < _TURN_S else -1.0,
        lists_per_s=lambda at: _LISTS_PER_S,
    )
    loop = ClosedLoop(view, story)
    past: list[Event] = []

    def keep(bundle: Bundle) -> None:
        (folder / f"{len(loop.hosted.cycles):06}.bundle").write_bytes(encode_bundle(bundle))

    loop.hosted.on_made = keep
    process, memory = psutil.Process(), []
    answers, by_cycle, true_ndcg = array("d"), array("l"), array("d")
    at = 0.0
    began = time.monotonic()
    while len(loop.hosted.cycles) < n_cycles:
        at += _STEP_S
        loop.run(at)
        if len(loop.hosted.cycles) < _BEGINNING:
            past += [logged.event for logged in loop.log]
        for one in loop.shown:
            answers.append(one.ranked_ms)
            by_cycle.append(one.n_cycles)
            true_ndcg.append(one.ndcg)
        # What is kept to measure is no part of what is measured.
        loop.log.clear()
        loop.shown.clear()
        gc.collect()
        memory.append((len(loop.hosted.cycles), process.memory_info().rss / 2**20))
    took = time.monotonic() - began
    cycles = loop.hosted.cycles[:n_cycles]
    usual = np.array([cycle.cpu_seconds for cycle in cycles if cycle.outcome == "made"])
    took_ms, n_before = np.array(answers), np.array(by_cycle)
    quarter = max(1, n_cycles // 4)
    first, last = (
        float(np.percentile(took_ms[(n_before > low) & (n_before <= low + quarter)], 99))
        for low in (_BEGINNING if n_cycles > 4 * _BEGINNING else 1, n_cycles - quarter - 1)
    )
    held = [[mb for n, mb in memory if low < n <= low + quarter] for low in (_BEGINNING, n_cycles - quarter)]
    grown = float(np.median(held[1]) / np.median(held[0])) if all(held) else 1.0
    whole = n_cycles >= N_CYCLES
    bound = view.learning.trees + view.learning.tail
    by_strategy = {cycle.strategy or "none" for cycle in cycles}
    medians = {
        name: float(np.median([cycle.cpu_seconds for cycle in cycles if (cycle.strategy or "none") == name]))
        for name in sorted(by_strategy)
    }
    figures = [
        at_least("endurance: cycles", n_cycles, "cycles", 200 if whole else None),
        at_most("endurance: trees, at most", max(c.n_trees for c in cycles), "trees", bound),
        told("endurance: a cycle, median", float(np.median(usual)), "s CPU"),
        at_most(
            "endurance: longest cycle ÷ median", usual.max() / np.median(usual), "×", 3 if whole else None
        ),
        *(told(f"endurance: median of {name}", value, "s CPU") for name, value in medians.items()),
        told("endurance: an answer, p99, first quarter", first, "ms CPU"),
        told("endurance: an answer, p99, last quarter", last, "ms CPU"),
        at_most("endurance: p99 last ÷ first quarter", last / first, "×", 1.25 if whole else None),
        told("endurance: memory, last quarter", float(np.median(held[1])), "MiB"),
        at_most("endurance: memory last ÷ first quarter", grown, "×", 1.1 if whole else None),
        told("endurance: true NDCG@10 as shown, all along", float(np.mean(true_ndcg)), ""),
        told("endurance: all cycles", took, "s"),
    ]
    return figures, past


if __name__ == "__main__":
    alone(__doc__, measure)
