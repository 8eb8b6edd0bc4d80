"""What each source of retrieval adds on Deskdrop: ``python -m benchmarks.retrieval_sources [EVERY]``.

How often the item that somebody took next, new to them, is among the first so many candidates, no model having ordered
them: with all sources, and without each. After 90 days of warm-up, by the view that autoconfig proposes for these; of
each ``EVERY``-th [3] interaction.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import conditions
from benchmarks.ablation.deskdrop import SCORED_DAY, read_acts
from benchmarks.data import ROOT
from eddyline_cli.examining import Examined, config_of
from eddyline_contracts.events import InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_features.recommend_settings import Recommend
from eddyline_features.state import State
from eddyline_features.view import View, load_view

_AMONG = (10, 20, 50, 100, 200)
_DAY_MS = 86_400_000


def main() -> None:
    """Print a table."""
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    data = Path(os.environ.get("EDDYLINE_TEST_DATA") or ROOT / ".." / "shared" / "data").resolve()
    log = [
        Logged(
            n,
            f"d{n}",
            act.at,
            act.at,
            InteractionRecorded(
                id=f"d{n}", user=act.user, session=act.session, item=act.item, action=act.action
            ),
        )
        for n, act in enumerate(read_acts(data / "deskdrop" / "interactions.csv.gz"), 1)
    ]
    scored_from = log[0].occurred_at + SCORED_DAY * _DAY_MS
    seen = Examined()
    for logged in log:
        if logged.occurred_at < scored_from:
            seen.profile.add(logged)
    view = load_view(config_of(seen, ["deskdrop"]))
    whole = view.recommend or Recommend()
    print(f"| | {' | '.join(map(str, _AMONG))} | n |\n|{' --- |' * (len(_AMONG) + 2)}")
    for left_out in (None, *whole.sources):
        sources = {name: share for name, share in whole.sources.items() if name != left_out}
        tried = dataclasses.replace(view, recommend=dataclasses.replace(whole, sources=sources))
        shares, n = found(tried, log, scored_from, every)
        name = "all sources" if left_out is None else f"without `{left_out}`"
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in shares)} | {n:,} |", flush=True)
    print(conditions.machine(), file=sys.stderr)


def found(view: View, log: Sequence[Logged], scored_from: int, every: int) -> tuple[list[float], int]:
    """Share of the interactions whose item is among the first so many, for each of `_AMONG`; and their number."""
    state, met = State(view), set[tuple[str | None, str]]()
    places, n_new = [], 0
    for logged in log:
        event = logged.event
        assert isinstance(event, InteractionRecorded)
        pair = event.user, event.item
        if pair not in met and logged.occurred_at >= scored_from:
            n_new += 1
            if n_new % every == 0:
                at = logged.occurred_at
                items = state.candidates(event.user, event.session, {}, at, _AMONG[-1]).items
                places.append(items.index(event.item) if event.item in items else _AMONG[-1])
        met.add(pair)
        state.apply(logged)
    ranks = np.array(places)
    return [float((ranks < k).mean()) for k in _AMONG], len(ranks)


if __name__ == "__main__":
    main()
