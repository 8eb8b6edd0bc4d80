"""The section ``learning`` of eddyline.yaml: how a booster is trained, and what a challenger must show.

None of it shapes state or vectors, so it may change without a new view.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline_features.policy_settings import Policy, read_every, read_policy
from eddyline_features.yaml_reader import Section

POSITION_BIASES = ("examination", "lightgbm", "none")
EXAMINATIONS = ("estimated", "power", "none")
OBJECTIVES = ("rank", "click", "rating")


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a challenger must show, on slates that it was not trained on, before it is served."""

    delta: float = 0.005
    """It may be worse by so much (NDCG@10; for other objectives, share of the loss of a constant)."""
    confidence: float = 0.95
    """With this probability no challenger that is worse by more is ever promoted, however often one looks."""
    champions: int = 3
    """It must also be no worse than the best of so many champions before the one in service."""
    contenders: int = 4
    """Challengers that are compared at a time."""
    min_slates: int = 100
    """Slates compared before anything is decided."""
    patience: int = 3_000
    """Slates after which an undecided challenger gives way."""


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """When clicks are held to have stalled: then nothing is learnt until they come back."""

    share: float = 0.1
    """Of the slates that are usually answered, so few are left at most; 0: never."""
    chance: float = 1e-6
    """It must be that unlikely to be chance."""


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How a booster is trained; shapes no vector, so it may change without a new view."""

    objective: str = "rank"
    """``rank`` (LambdaMART), ``click`` (log-loss) or ``rating`` (squared error)."""
    trees: int = 100
    """Trees of a rebuilt booster."""
    leaves: int = 31
    """Leaves of a tree, at most."""
    learning_rate: float = 0.1
    """What each tree adds: the step."""
    min_data_in_leaf: int = 20
    """Rows that a leaf needs."""
    lambda_l1: float = 0.0
    """Weight of the L1 term: leaves are drawn to 0."""
    lambda_l2: float = 0.0
    """Weight of the L2 term: leaves are made smaller."""
    feature_fraction: float = 1.0
    """Share of the columns that each tree may use."""
    seed: int = 1
    """Of all that is random in training."""
    min_slates: int = 200
    """Ripe slates with a positive label before the first booster."""
    growth: float = 1.5
    """A rebuild is due when the examples have grown by this factor."""
    max_examples: int = 1_000_000
    """Rows (impressions) that a booster is trained on at most: the newest."""
    learn_every: int | None = 250
    """A cycle each time that so many more slates are ripe; None where it goes by time."""
    learn_every_ms: int | None = None
    """A cycle each time that the events' clock has moved by so much."""
    extend_trees: int = 5
    """Trees that a cycle adds between rebuilds."""
    tail: int = 50
    """Trees beyond ``trees`` at most; then the model is compacted."""
    replay: int = 8_000
    """Older rows that are trained on beside the newest ones when trees are added."""
    examination: str = "estimated"
    """How likely people look at the places of slates that the ranker ordered, for the gate under ``rank``:
    ``estimated`` from the slates of ``exploration`` (without any, as ``none``), by a ``power`` of the place, or
    ``none``: all alike."""
    position_bias: str = "examination"
    """How training under ``rank`` allows for it on slates that the ranker ordered: ``examination`` (slates count by
    what their clicks stand for), ``lightgbm`` (its own bias of each place) or ``none``."""
    examination_power: float = 0.5
    """Under ``power``: place k, 1 at the top, is looked at with probability k^-power."""
    gate: Gate = Gate()
    policy: Policy = field(default_factory=Policy)
    breaker: Breaker = Breaker()


def read_learning(root: Section) -> Learning:
    """Read the section ``learning``; what it does not name has its default."""
    section = root.section("learning")
    if section is None:
        return Learning()
    default = Learning()
    every, every_ms = read_every(section, "learn_every", (default.learn_every, default.learn_every_ms))
    learning = Learning(
        objective=section.choice("objective", OBJECTIVES, default=default.objective) or default.objective,
        trees=section.integer("trees", default.trees, 1, 10_000),
        leaves=section.integer("leaves", default.leaves, 2, 4_096),
        learning_rate=section.number("learning_rate", default.learning_rate, 1e-6, 1.0),
        min_data_in_leaf=section.integer("min_data_in_leaf", default.min_data_in_leaf, 1, 1_000_000),
        lambda_l1=section.number("lambda_l1", default.lambda_l1, 0.0, 1e6),
        lambda_l2=section.number("lambda_l2", default.lambda_l2, 0.0, 1e6),
        feature_fraction=section.number("feature_fraction", default.feature_fraction, 0.01, 1.0),
        seed=section.integer("seed", default.seed, 0, 2**31 - 1),
        min_slates=section.integer("min_slates", default.min_slates, 1, 10_000_000),
        growth=section.number("growth", default.growth, 1.01, 100.0),
        max_examples=section.integer("max_examples", default.max_examples, 1_000, 1_000_000_000),
        learn_every=every,
        learn_every_ms=every_ms,
        extend_trees=section.integer("extend_trees", default.extend_trees, 1, 1_000),
        tail=section.integer("tail", default.tail, 0, 10_000),
        replay=section.integer("replay", default.replay, 0, 1_000_000_000),
        examination=section.choice("examination", EXAMINATIONS, default=default.examination)
        or default.examination,
        position_bias=section.choice("position_bias", POSITION_BIASES, default=default.position_bias)
        or default.position_bias,
        examination_power=section.number("examination_power", default.examination_power, 0.0, 3.0),
        gate=read_gate(section),
        policy=read_policy(section),
        breaker=read_breaker(section),
    )
    section.close()
    return learning


def read_gate(learning: Section) -> Gate:
    """Read the section ``gate`` within it."""
    section = learning.section("gate")
    default = Gate()
    if section is None:
        return default
    gate = Gate(
        delta=section.number("delta", default.delta, 0.0, 1.0),
        confidence=section.number("confidence", default.confidence, 0.5, 0.999999),
        champions=section.integer("champions", default.champions, 0, 20),
        contenders=section.integer("contenders", default.contenders, 1, 20),
        min_slates=section.integer("min_slates", default.min_slates, 2, 10_000_000),
        patience=section.integer("patience", default.patience, 2, 1_000_000_000),
    )
    section.close()
    return gate


def read_breaker(learning: Section) -> Breaker:
    """Read the section ``breaker`` within it."""
    section = learning.section("breaker")
    default = Breaker()
    if section is None:
        return default
    breaker = Breaker(
        share=section.number("share", default.share, 0.0, 0.5),
        chance=section.number("chance", default.chance, 1e-15, 0.01),
    )
    section.close()
    return breaker
