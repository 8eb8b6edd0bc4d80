"""The online model, and the two kinds of features that read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_some_of
from eddyline_features.yaml_reader import Section

ACTION, VALUE = "action", "value"
RULES = ("sgd", "passive-aggressive", "ftrl")
SCORE_OUTPUTS = ("score", "taste", "bias")
SIMILARITY_OUTPUTS = ("user", "last", "mean")


@dataclass(frozen=True, kw_only=True)
class Online:
    """A factorisation that learns from every event, in the fold; it ranks alone until there is a booster."""

    rule: str = "sgd"
    """``sgd``, ``passive-aggressive`` or ``ftrl``."""
    target: str = "action"
    """What it says: ``action``, how likely somebody acts on it, or ``value``, the value that they would give it."""
    factors: int = 16
    """Numbers of a vector; items have two vectors, users one."""
    step: float = 0.3
    """How far a vector moves at first: AdaGrad's step, FTRL's alpha, or the passive-aggressive C (0.05)."""
    l1: float = 0.0
    """FTRL only: what sets weights to 0."""
    l2: float = 0.003
    """Draws vectors to 0."""
    strength: float = 10.0
    """So many observations at the average are what an item's or user's bias starts from."""
    recent: int = 10
    """So many of a person's newest interactions say who they are, beside their own vector; where values are learnt,
    their bias goes by about so many too."""
    negatives: int = 3
    """Popular items that an interaction without a slate is set against."""
    ripe_after_ms: int = 1_800_000
    """After this time, what was shown and not acted on counts as left. `label_window` unless it is given."""


@dataclass(frozen=True, kw_only=True)
class OnlineScore:
    """What the online model says of the candidate for this person."""

    name: str
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


@dataclass(frozen=True, kw_only=True)
class OnlineSimilarity:
    """Cosine of the candidate's online vector with that of the person, their last item, their recent items."""

    name: str
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


def read_online(root: Section, label_window_ms: int | None) -> Online | None:
    """Read the section ``online``; None where there is none."""
    section = root.section("online")
    if section is None:
        return None
    target = section.choice("target", (ACTION, VALUE), default=ACTION) or ACTION
    default = Online() if target == ACTION else Online(strength=5.0, recent=20, l2=0.02)
    ripe_after = section.duration("ripe_after", label_window_ms or default.ripe_after_ms)
    rule = section.choice("rule", RULES, default=default.rule) or default.rule
    step = section.number("step", 0.05 if rule == "passive-aggressive" else default.step, 1e-4, 10.0)
    online = Online(
        rule=rule,
        target=target,
        factors=section.integer("factors", default.factors, 1, 256),
        step=step,
        l1=section.number("l1", default.l1, 0.0, 100.0),
        l2=section.number("l2", default.l2, 0.0, 100.0),
        strength=section.number("strength", default.strength, 0.1, 1e6),
        recent=section.integer("recent", default.recent, 1, 1_000),
        negatives=section.integer("negatives", default.negatives, 0, 50),
        ripe_after_ms=ripe_after or default.ripe_after_ms,
    )
    if online.l1 and rule != "ftrl":
        section.problems.add(section.line_of("l1"), "`online.l1` is for `rule: ftrl`: leave it out")
    section.close()
    return online


def _online_score(section: Section, name: str, actions: Sequence[str]) -> OnlineScore:
    return OnlineScore(name=name, outputs=read_some_of(section, "outputs", SCORE_OUTPUTS, ("score", "taste")))


def _online_similarity(section: Section, name: str, actions: Sequence[str]) -> OnlineSimilarity:
    return OnlineSimilarity(
        name=name, outputs=read_some_of(section, "outputs", SIMILARITY_OUTPUTS, ("user", "last"))
    )


READERS: dict[str, Reader] = {"online_score": _online_score, "online_similarity": _online_similarity}
