"""Metarank's configuration as a whole to eddyline.yaml: it always loads, and says what did not come along."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from eddyline_cli.migrating.mapped import NEAR, NEEDLESS, NOT_YET, SAME, Mapped
from eddyline_cli.migrating.metarank_features import map_feature
from eddyline_cli.migrating.metarank_fields import matched_by_content
from eddyline_cli.migrating.metarank_models import Taken, models_of, take_model
from eddyline_cli.migrating.metarank_recommenders import sections
from eddyline_cli.migrating.metarank_text import duration, mappings, word, words
from eddyline_features.durations import spell
from eddyline_features.view import MAX_ACTIONS, MAX_COLUMNS, ViewError, load_view
from eddyline_features.yaml_writer import Names, comment, flow, shown
from eddyline_features.yaml_writer import word as quoted

_WINDOW = "30m"
_TOO_MANY = "one view has at most {:,} {}: keep those that matter"


@dataclass
class Migrated:
    """The view, and what became of each part of the configuration."""

    text: str
    report: list[Mapped]


@dataclass
class _Draft:
    actions: dict[str, str]
    names: Names = field(default_factory=Names)
    columns: set[str] = field(default_factory=set)
    has_position: bool = False
    lines: list[str] = field(default_factory=list)
    report: list[Mapped] = field(default_factory=list)


def migrate(config: dict[str, Any], *, name: str | None = None, model: str | None = None) -> Migrated:
    """Make a view of the configuration, named ``name``, for one of its models.

    Raises
    ------
    NoSuchModel
        If there is no such model.
    """
    taken = take_model(config, model)
    told = mappings(config.get("features"))
    draft = _Draft(_actions(taken, told))
    for raw in told:
        _add(draft, raw, told, taken.features)
    known = {word(raw, "name") for raw in told}
    for missing in [one for one in taken.features or () if one not in known]:
        draft.report.append(
            Mapped(what=missing, verdict=NOT_YET, note="the model uses it, but it is not among the features")
        )
    if not draft.columns:
        feature = {"name": draft.names.new("rate"), "kind": "rate", "by": "item", "half_lives": "7d"}
        draft.lines += [
            *comment("None of the features came along; this is a start.", "  "),
            f"  - {flow(feature)}",
        ]
    window, remarks = _window(config)
    report = [*draft.report, *taken.report, *remarks, *_common(told, config)]
    view_name = Names().new(name or (taken.name if taken.name and taken.name != "default" else "metarank"))
    more = sections(models_of(config), [field for raw in told for field in matched_by_content(raw)])
    return Migrated(_text(view_name, draft, window, taken, more), report)


def _actions(taken: Taken, features: list[dict[str, Any]]) -> dict[str, str]:
    """Our actions, those of features among them: they count once each, as in Metarank, and weigh as labels."""
    used = [
        action
        for raw in features
        for key in ("interaction", "top", "bottom")
        for action in words(raw, key)
        if action != "impression"
    ]
    gains = dict(taken.gains)
    for action in used:
        gains.setdefault(action, 0.0 if taken.gains else 1.0)
    actions = {a: flow({"weight": "1", "gain": f"{g:g}"}) for a, g in gains.items()}
    if len(actions) > MAX_ACTIONS:
        note = _TOO_MANY.format(MAX_ACTIONS, "actions")
        taken.report += [
            Mapped(what=shown(action), verdict=NOT_YET, note=note) for action in list(actions)[MAX_ACTIONS:]
        ]
    return dict(list(actions.items())[:MAX_ACTIONS]) or {"click": flow({"weight": "1", "gain": "1"})}


def _add(draft: _Draft, raw: dict[str, Any], told: list[dict[str, Any]], used: list[str] | None) -> None:
    mapped = map_feature(raw, told)
    if used is not None and word(raw, "name") not in used:
        mapped = Mapped(
            what=mapped.what,
            verdict=NEEDLESS,
            note="the model does not use it" + ("; its line is here as a comment" if mapped.features else ""),
            features=mapped.features,
        )
    elif mapped.features and any(one["kind"] == "position" for one in mapped.features):
        if draft.has_position:
            mapped = Mapped(what=mapped.what, verdict=NOT_YET, note="one position is enough")
        draft.has_position = True
    lines: list[str] = []
    fault = ""
    for feature in mapped.features:
        feature = {**feature, "name": quoted(draft.names.new(feature["name"]))}
        line = flow({"name": feature.pop("name"), **feature})
        if mapped.verdict == NEEDLESS:
            lines += comment(f"- {line}", "  ")
            continue
        fault = _fault(draft, line)
        if fault:
            break
        lines.append(f"  - {line}")
    if fault:
        mapped = Mapped(what=mapped.what, verdict=NOT_YET, note=fault)
        lines = [line for line in lines if not line.startswith("  - ")]
    if mapped.verdict != SAME:
        draft.lines += comment(f"{shown(mapped.what)}: {mapped.verdict}: {mapped.note}", "  ")
    draft.lines += lines
    draft.report.append(mapped)


def _fault(draft: _Draft, line: str) -> str:
    """Why this feature cannot stand beside the others; empty if it can, and then it does."""
    try:
        columns = load_view(
            "\n".join([*_head("x", draft.actions, _WINDOW), "features:", f"  - {line}"])
        ).columns
    except ViewError as error:
        return " ".join(str(error).split())
    twice = draft.columns.intersection(columns)
    if twice:
        return f"its column {sorted(twice)[0]!r} is there already: rename it"
    if len(draft.columns) + len(columns) > MAX_COLUMNS:
        return _TOO_MANY.format(MAX_COLUMNS, "columns")
    draft.columns.update(columns)
    return ""


def _window(config: dict[str, Any]) -> tuple[str, list[Mapped]]:
    core = config.get("core")
    said = word(core.get("clickthrough") if isinstance(core, dict) else None, "maxSessionLength")
    length = duration(said)
    if length is None:
        return _WINDOW, []
    note = f"label_window: interactions are awaited for {spell(length)} after their slate"
    return spell(length), [Mapped(what="core.clickthrough.maxSessionLength", verdict=NEAR, note=note)]


def _common(features: list[dict[str, Any]], config: dict[str, Any]) -> Iterable[Mapped]:
    if any("refresh" in raw for raw in features):
        yield Mapped(what="refresh", verdict=NEEDLESS, note="every feature is of the moment it is read")
    if any("ttl" in raw for raw in features):
        note = (
            "kept for values of items and users, counts and rates; memory is bounded by `limits`: who was longest "
            "without an event is forgotten first"
        )
        yield Mapped(what="ttl", verdict=NEAR, note=note)
    for part, note in (
        ("state", "state is folded from the log; see `limits` for its size"),
        ("train", "examples are made from the log"),
        ("source", "send events to /feedback, or files by `eddyline import`"),
        ("input", "send events to /feedback, or files by `eddyline import`"),
        ("api", "EDDYLINE_HOST and EDDYLINE_PORT of each service"),
    ):
        if part in config:
            yield Mapped(what=part, verdict=NEEDLESS, note=note)
    if "inference" in config:
        note = (
            "one encoder reads what items say, chosen by EDDYLINE_ENCODER: tfidf, minilm (all-MiniLM-L6-v2) or a "
            "folder with model.onnx and tokenizer.json"
        )
        yield Mapped(what="inference", verdict=NEAR, note=note)


def _head(name: str, actions: dict[str, str], window: str) -> list[str]:
    return [
        f"view: {quoted(name)}",
        "",
        "actions:",
        *(f"  {quoted(action)}: {weights}" for action, weights in actions.items()),
        "",
        f"label_window: {window}",
        "",
    ]


def _text(name: str, draft: _Draft, window: str, taken: Taken, more: list[str]) -> str:
    learning = {"objective": "rank", **taken.learning}
    return "\n".join(
        [
            *comment(
                "Made from Metarank's configuration by `eddyline migrate metarank`. Remarks tell what differs."
            ),
            *_head(name, draft.actions, window),
            "features:",
            *draft.lines,
            "",
            *more,
            "learning:",
            *(f"  {key}: {value}" for key, value in learning.items()),
            "",
        ]
    )
