"""RankLens: real slates with fields, all within 20 minutes. It judges what is known of items and people, not time."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.ablation.groups import Feature, Grouped, read
from benchmarks.ablation.study import Study
from benchmarks.ablation.tables import PerSlate, Table, added, left_out
from eddyline_cli.commands.event_files import CsvOptions, opened
from eddyline_cli.evaluating.history import History
from eddyline_cli.examining import Examined, config_of
from eddyline_contracts.record import Logged
from eddyline_learning.scored import ITEM_RATE
from eddyline_learning.warmup import Warmup

WARMUP = 0.8
BASE = ("item fields", "place", "item rates")
"""What each other group is added to."""

_METRIC = "NDCG@10"
_PROPOSED = {
    "position": "place",
    "rate": "item rates",
    "count": "item rates",
    "relative": "rate beside the others'",
    "affinity": "tastes",
    "online_score": "online model",
    "online_similarity": "online model",
    "co_interaction": "co-interaction",
}
"""Group of what autoconfig proposes, by kind."""

ADDED = read(Path(__file__).with_name("ranklens.yaml")).groups


def tables(data: Path, n_seeds: int) -> Iterator[Table]:
    """``data`` is the folder of the shared data sets; as ``eddyline evaluate --warmup 0.8`` with one model."""
    log, n_slates, grouped = prepared(data / "ranklens" / "events.jsonl.gz")
    warmup = functools.partial(Warmup.share, WARMUP, n_slates)
    study = _Study(Study(log, warmup, grouped, range(1, n_seeds + 1)))
    proposed = [name for name in study.groups if name not in ADDED]
    table = left_out("RankLens, what autoconfig proposes", study, proposed)
    table.add("item rate so far, no model", None, {_METRIC: study.study.baseline(ITEM_RATE)["ndcg@10"]})
    yield table
    yield added(f"RankLens, {' + '.join(BASE)}", study, BASE, study.groups)
    yield left_out("RankLens, all kinds that apply", study, study.groups)
    yield added("RankLens, what autoconfig proposes", study, proposed, ADDED)


class _Study:
    """See `Compared`."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.groups = study.groups
        self.n_columns = study.n_columns

    def per_slate(self, groups: Collection[str]) -> PerSlate:
        return {_METRIC: self.study.measured(groups)["ndcg@10"]}


def prepared(path: Path) -> tuple[list[Logged], int, Grouped]:
    """The log, how many slates it has, and the view: what is proposed for the warm-up, and `ADDED`."""
    history = History(opened([str(path)], CsvOptions()))
    for _ in history.look():
        pass
    n_slates = history.found.slates
    seen = Examined()
    for logged in history.until(Warmup.share(WARMUP, n_slates)):
        seen.profile.add(logged)
    view: dict[str, Any] = yaml.safe_load(config_of(seen, [str(path)]))
    groups = {**grouped_by_kind(view.pop("features")), **ADDED}
    return [logged for batch in history.batches() for logged in batch], n_slates, Grouped(view, groups)


def grouped_by_kind(features: Sequence[Feature]) -> dict[str, list[Feature]]:
    """What autoconfig proposes, in groups."""
    groups: dict[str, list[Feature]] = {}
    for feature in features:
        group = _PROPOSED.get(feature["kind"], "item fields")
        if feature["kind"] == "rate" and feature["by"] != "item":
            group = "rates of values"
        groups.setdefault(group, []).append(feature)
    return groups
