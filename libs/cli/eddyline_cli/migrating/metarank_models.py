"""Metarank's models to actions and learning: one booster, so one of its ranking models is taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eddyline_cli.migrating.mapped import NEAR, NEEDLESS, NOT_YET, SAME, Mapped
from eddyline_cli.migrating.metarank_recommenders import RECOMMENDERS, recommender
from eddyline_cli.migrating.metarank_text import mappings, number, word, words

_KNOWN = ("type", "backend", "weights", "features", "split", "eval", "warmup")


class NoSuchModel(ValueError):
    """The model that was asked for is not a ranking model of the configuration."""


@dataclass
class Taken:
    """What the model that was taken asks for."""

    name: str | None = None
    features: list[str] | None = None
    """Names of the features that it uses; none: all."""
    gains: dict[str, float] = field(default_factory=dict)
    """Worth of each action as a label."""
    learning: dict[str, str] = field(default_factory=dict)
    report: list[Mapped] = field(default_factory=list)


def models_of(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All models of the configuration, by name."""
    found = config.get("models")
    return {n: m for n, m in found.items() if isinstance(m, dict)} if isinstance(found, dict) else {}


def take_model(config: dict[str, Any], wanted: str | None) -> Taken:
    """Take the model that is named, or the first of type lambdamart.

    Raises
    ------
    NoSuchModel
        If ``wanted`` is none of them.
    """
    models = models_of(config)
    rankers = [n for n, m in models.items() if word(m, "type") == "lambdamart"]
    if wanted is not None and wanted not in rankers:
        raise NoSuchModel(
            f"there is no lambdamart model {wanted!r}; the file has {', '.join(rankers) or 'none'}"
        )
    taken = Taken(name=wanted or (rankers[0] if rankers else None))
    for told in mappings(config.get("interactions")):
        _gain(taken, word(told, "name"), word(told, "weight", default="1"))
    for name, model in models.items():
        if name == taken.name:
            _take(taken, model)
        else:
            taken.report.append(_left(name, word(model, "type"), model, taken.name))
    return taken


def _take(taken: Taken, model: dict[str, Any]) -> None:
    weights = model.get("weights")
    for action, weight in weights.items() if isinstance(weights, dict) else ():
        _gain(taken, action, weight)
    for told in mappings(weights):
        _gain(taken, word(told, "interaction", "name"), word(told, "weight", default="1"))
    taken.features = words(model, "features") or None
    backend = model.get("backend")
    for theirs, ours, least, most, whole in (
        ("iterations", "trees", 1, 10_000, True),
        ("learningRate", "learning_rate", 1e-6, 1.0, False),
        ("numLeaves", "leaves", 2, 4_096, True),
        ("sampling", "feature_fraction", 0.01, 1.0, False),
        ("seed", "seed", 0, 2**31 - 1, True),
    ):
        value = number(word(backend, theirs))
        if value is not None and least <= value <= most:
            taken.learning[ours] = f"{int(value)}" if whole else f"{value:g}"
    notes = ["LightGBM's LambdaMART, refitted while it serves; depth is bounded by `leaves`"]
    notes += [f"`{key}` is not there" for key in model if key not in _KNOWN]
    if word(backend, "debias") == "true":
        notes.append("for `debias` keep a feature of kind position")
    taken.report.append(Mapped(what=f"model {taken.name} (lambdamart)", verdict=NEAR, note="; ".join(notes)))
    for key in ("split", "eval", "warmup"):
        if key in model:
            note = "the gate compares every model on newer slates; the ranker warms each before it serves"
            taken.report.append(Mapped(what=f"{key} of {taken.name}", verdict=NEEDLESS, note=note))


def _left(name: str, kind: str, model: dict[str, Any], champion: str | None) -> Mapped:
    if kind in RECOMMENDERS:
        return recommender(name, kind, model)
    if kind == "lambdamart":
        note = f"one model serves: {champion} was taken, --model {name} takes this one"
        return Mapped(what=f"model {name} ({kind})", verdict=NOT_YET, note=note)
    if kind in ("shuffle", "noop"):
        note = (
            f"baselines are not there yet. /rank/{name} would be answered by the model in service: stop calling it, "
            "or list the names that are answered in EDDYLINE_METARANK_MODELS"
        )
        return Mapped(what=f"model {name} ({kind})", verdict=NOT_YET, note=note)
    return Mapped(
        what=f"model {name} ({kind or 'no type'})",
        verdict=NOT_YET,
        note=f"no type of model that is known here: lambdamart, {', '.join(RECOMMENDERS)}",
    )


def _gain(taken: Taken, action: str, weight: Any) -> None:
    value = number(weight) if isinstance(weight, str) else None
    if not action or value is None:
        return
    if action == "impression" or not 0 <= value <= 1e6:
        note = f"weight {value:g} of {action!r} is not possible as a label: it is left out"
        taken.report.append(Mapped(what=f"weight of {action}", verdict=NOT_YET, note=note))
        return
    taken.gains[action] = value
    taken.report.append(
        Mapped(what=f"weight of {action}", verdict=SAME, note=f"a label of {value:g}; counts stay counts")
    )
