"""What happens to every recommender sooner or later, in several worlds: ``python -m benchmarks.reality``.

Prints how good the lists were in truth before, at the worst, and after, beside those of the first model: the figures
of docs/reality.md. ``--drift FILE.json`` plays the sudden turn of tastes only and writes its course, cycle by cycle, in
the form that ``eddyline report --evaluation FILE.json`` draws.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eddyline_contracts.events import InteractionRecorded
from eddyline_learning.metrics import mean_of
from eddyline_learning.scored import FROZEN
from tests.support.closed_loop.loop import START_MS, ClosedLoop, Shown
from tests.support.closed_loop.story import Story, between, except_between
from tests.support.closed_loop.views import MATCH, a_view

_BEGINS, _STEP = 60.0, 5.0
_CYCLE = 500


@dataclass(frozen=True)
class Case:
    """A story that begins to happen at 60 s."""

    title: str
    story: Callable[[], Story]
    end: float
    match: bool = False


def _flood() -> Story:
    bot = [
        (_BEGINS + k / 500, InteractionRecorded(id=f"bot-{k}", user="bot", session="bot", item="sim-item-7"))
        for k in range(10_000)
    ]
    return Story(besides=bot)


CASES = (
    Case("nothing happens", Story, 120),
    Case("tastes turn at once", lambda: Story(mood=lambda at: 1.0 if at < _BEGINS else -1.0), 130),
    Case("tastes turn within 30 s", lambda: Story(mood=lambda at: float(np.clip(5 - at / 15, -1, 1))), 150),
    Case("clicks at random, 5 s", lambda: Story(garbage=between(_BEGINS, _BEGINS + 5)), 100),
    Case("clicks at random, 10 s", lambda: Story(garbage=between(_BEGINS, _BEGINS + 10)), 110),
    Case("clicks stall, 20 s", lambda: Story(clicks_arrive=except_between(_BEGINS, _BEGINS + 20)), 110),
    Case("one item is clicked 10,000 times", _flood, 110),
    Case(
        "a field is sent no more",
        lambda: Story(match_weight=1.5, sends_match=lambda at: at < _BEGINS),
        120,
        match=True,
    ),
    Case("all labels are too late, 20 s", lambda: Story(late_s=_late), 110),
)


def _late(at: float) -> float:
    return 4.0 if _BEGINS <= at < _BEGINS + 20 else 0.0


def row(case: Case, objective: str, seeds: Sequence[int]) -> str:
    """A row of the table: means over the worlds."""
    found = []
    for seed in seeds:
        view = a_view(*([MATCH] if case.match else []), objective=objective)
        loop = ClosedLoop(view, case.story(), seed=seed).run(case.end)
        steps = np.arange(_BEGINS, case.end, _STEP)
        found.append(
            (
                loop.served(_BEGINS - 20, _BEGINS),
                min(loop.served(at, at + _STEP) for at in steps),
                loop.served(case.end - 10, case.end),
                loop.frozen(case.end - 10, case.end),
                loop.learner.examples.joiner.slates["stalled"],
            )
        )
    before, lowest, after, frozen, stalled = np.mean(found, axis=0)
    return f"| {case.title} | {before:.3f} | {lowest:.3f} | {after:.3f} | {frozen:.3f} | {stalled:.0f} |"


def drift(objective: str, seed: int) -> tuple[dict[str, Any], list[str]]:
    """The sudden turn: its course as an evaluation, and rows of a table, of the cycles since the turn."""
    story = Story(mood=lambda at: 1.0 if at < _BEGINS else -1.0)
    loop = ClosedLoop(a_view(objective=objective, learn_every=_CYCLE), story, seed=seed).run(_BEGINS)
    before, n_before = loop.served(_BEGINS - 15, _BEGINS), len(loop.hosted.cycles)
    loop.run(_BEGINS + 80)
    rows, timeline = [], []
    for n in sorted({one.n_cycles for one in loop.shown if one.n_cycles}):
        # The cycle at which tastes turned is cut in two there.
        for turned in (False, True):
            some = [one for one in loop.shown if one.n_cycles == n and (one.at >= _BEGINS) is turned]
            if not some:
                continue
            timeline.append(_stretch(some))
            if turned:
                ndcg, frozen = (float(np.mean([getattr(s, k) for s in some])) for k in ("ndcg", "frozen"))
                rows.append(f"| {n - n_before} | {ndcg / before:.0%} | {frozen / before:.0%} |")
    whole = _stretch([one for one in loop.shown if one.n_cycles])
    told = {
        "metrics": whole["metrics"],
        "baselines": whole["baselines"],
        "events": len(loop.log),
        "scored": whole["n"],
        "timeline": timeline,
    }
    return told, rows


def _stretch(some: Sequence[Shown]) -> dict[str, Any]:
    served, frozen = (
        {"ndcg@10": mean_of(np.array([getattr(one, kind) for one in some])).as_json()}
        for kind in ("ndcg", "frozen")
    )
    return {
        "at_ms": START_MS + round(1_000 * some[0].at),
        "until_ms": START_MS + round(1_000 * some[-1].at),
        "n": len(some),
        "metrics": served,
        "baselines": {FROZEN: frozen},
    }


def main() -> None:
    """Play them, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--objective", default="click", choices=["click", "rank"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the worlds [1 2 3]")
    parser.add_argument("--only", default="", help="stories whose title holds this")
    parser.add_argument(
        "--drift", type=Path, metavar="FILE", help="the sudden turn only; write its course here"
    )
    chosen = parser.parse_args()
    if chosen.drift is not None:
        print("| cycles since the turn | served | first model |\n| --- | --- | --- |")
        told, rows = drift(chosen.objective, chosen.seeds[0])
        print("\n".join(rows))
        chosen.drift.write_text(json.dumps(told))
        return
    print("| story | before | lowest | after | first model, after | lists held back |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        if chosen.only in case.title:
            print(row(case, chosen.objective, chosen.seeds), flush=True)


if __name__ == "__main__":
    main()
