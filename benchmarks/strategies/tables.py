"""The pieces of runs as Markdown: one table an objective, a column a stream, the mean over seeds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.strategies.streams import MADE_UP, PUBLIC

_TITLES = {"rank": "`rank`: 1 − NDCG@10", "click": "`click`: normalised entropy"}


def markdown(files: Iterable[Path]) -> str:
    """Lower is better; the best of each column is bold."""
    pieces: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        piece = json.loads(file.read_text())
        pieces[piece["objective"]][piece["stream"]].append(piece["found"])
    return "\n\n".join(
        _table(_TITLES[objective], pieces[objective]) for objective in _TITLES if objective in pieces
    )


def _table(title: str, streams: dict[str, list[dict[str, Any]]]) -> str:
    names = list(dict.fromkeys(name for runs in streams.values() for run in runs for name in run))
    shown = [stream for stream in (*MADE_UP, *PUBLIC) if stream in streams]
    loss = {
        (name, stream): mean(run[name]["loss"] for run in streams[stream] if name in run)
        for name in names
        for stream in shown
        if any(name in run for run in streams[stream])
    }
    best = {stream: min(loss[name, stream] for name in names if (name, stream) in loss) for stream in shown}
    lines = [
        f"| {title} | {' | '.join(shown)} | CPU ms per update | trees |",
        f"| --- |{' --- |' * (len(shown) + 2)}",
    ]
    made_up = [run for stream in shown if stream in MADE_UP for run in streams[stream]] or [
        run for runs in streams.values() for run in runs
    ]
    for name in names:
        cells = [_cell(loss.get((name, stream)), best[stream]) for stream in shown]
        runs = [run[name] for run in made_up if name in run]
        trees = max(run["trees"] for run in runs)
        lines.append(f"| {name} | {' | '.join(cells)} | {mean(r['ms'] for r in runs):.0f} | ≤ {trees} |")
    return "\n".join(lines)


def _cell(loss: float | None, best: float) -> str:
    if loss is None:
        return "–"
    text = f"{loss:.4f}".lstrip("0")
    return f"**{text}**" if f"{loss:.4f}" == f"{best:.4f}" else text
