"""eddyline.yaml as a checked value: which features there are, how they are bounded, and how a booster learns.

Needs neither NumPy nor Numba, so that the ranker and the command can read it too.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from eddyline_features.content_settings import Content, read_content
from eddyline_features.declarations.content import ContentSimilarity
from eddyline_features.declarations.declaration import Declaration, acted_entries, coded_columns, is_relative
from eddyline_features.declarations.forms import read_name
from eddyline_features.declarations.online import (
    ACTION,
    VALUE,
    Online,
    OnlineScore,
    OnlineSimilarity,
    read_online,
)
from eddyline_features.declarations.paths import COLUMN
from eddyline_features.declarations.position import Position
from eddyline_features.declarations.registry import read_feature
from eddyline_features.declarations.relative import Relative
from eddyline_features.explanation_settings import NO_EXPLANATIONS, Explanations, read_explanations
from eddyline_features.exploration_settings import NO_EXPLORATION, Exploration, read_exploration
from eddyline_features.field_values import MOST_VALUE
from eddyline_features.learning_settings import Breaker, Gate, Learning, read_learning
from eddyline_features.policy_settings import Policy
from eddyline_features.recommend_settings import CONTENT, Recommend, read_recommend
from eddyline_features.yaml_reader import Problem, Problems, Section, ViewError, compose

__all__ = [
    "Action",
    "Breaker",
    "Content",
    "Explanations",
    "Exploration",
    "Gate",
    "Learning",
    "Limits",
    "Policy",
    "Prior",
    "Problem",
    "Recommend",
    "View",
    "ViewError",
    "load_view",
]

FOLD_FORMAT = 4
"""Raised whenever the same view and log give other state or vectors than before."""

MAX_COLUMNS = 2_000
MAX_ACTIONS = 200
_USUAL = ("target", ACTION)


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something people do with an item."""

    weight: float
    """What it adds to counts, rates and affinities; below 0 it says no (`dislike: -1`), 0 is not counted."""
    gain: float
    """What it is worth as a training label; never below 0."""
    values: tuple[float, float] | None = None
    """Its value says how much it was liked: the worst and the best that it can be, as ``[0.5, 5]`` for stars. What lies
    outside counts as the nearer of them. Without, its value is no opinion."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds the memory of the state. Beyond them, who was longest without an event is forgotten."""

    items: int = 200_000
    """Items known at a time; at least 1,000."""
    users: int = 200_000
    """Users known at a time."""
    sessions: int = 200_000
    """Sessions known at a time; they take room only where a feature asks for them."""
    values: int = 100_000
    """Different values of all item fields together."""
    values_per_field: int = 10
    """Of one item's list; further ones are not seen."""
    groups: int = 100_000
    """Groups that have no row of their own: values of users' and contexts' fields, and pairs; rounded up to a power
    of two."""
    acted: int = 32
    """Newest interactions kept of each user and session."""
    shown: int = 64
    """Newest impressions kept of each user and session."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """How items are ordered when nothing else is known: by their smoothed rate."""

    half_life_ms: int = 7 * 86_400_000
    """After this time an impression or action counts half."""
    strength: float = 10.0
    """So many impressions at the overall rate are added."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A named, versioned set of features."""

    name: str
    actions: Mapping[str, Action]
    """By name, in the order of the file; others count for nothing."""
    label_window_ms: int
    """How long after a slate its labels are still awaited."""
    limits: Limits
    prior: Prior
    features: tuple[Declaration, ...]
    learning: Learning
    online: Online | None = None
    """The model in the fold; None where there is none."""
    exploration: Exploration = NO_EXPLORATION
    """For whom the ranker lets chance have a say."""
    content: Content | None = None
    """What encoders read of items; None where nothing asks for vectors of texts."""
    recommend: Recommend | None = None
    """How a slate is chosen from the whole catalogue; None where it is not."""
    explanations: Explanations = NO_EXPLANATIONS
    """What people are told about why an item is shown."""

    @cached_property
    def id(self) -> str:
        """``<name>-<8 hex>``: another id means that state and vectors differ."""
        shape = {
            "format": FOLD_FORMAT,
            "weights": {name: action.weight for name, action in self.actions.items()},
            "limits": dataclasses.asdict(self.limits),
            "prior": dataclasses.asdict(self.prior),
            "features": [[type(f).__name__, dataclasses.asdict(cast(Any, f))] for f in self.features],
        }
        if valued := {name: action.values for name, action in self.actions.items() if action.values}:
            shape["values"] = valued
        if self.online is not None:
            # As it is not written where it is what it always was: a view that says nothing of it stays the same.
            shape["online"] = {
                key: told for key, told in dataclasses.asdict(self.online).items() if (key, told) != _USUAL
            }
        if self.recommend is not None:
            shape["recommend"] = self.recommend.shape()
        if self.content is not None:
            shape["content"] = self.content.shape()
        text = json.dumps(shape, sort_keys=True, ensure_ascii=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @cached_property
    def columns(self) -> list[str]:
        """Names of the F columns, in order."""
        return [column for feature in self.features for column in feature.columns]

    @cached_property
    def position_column(self) -> int | None:
        """Which column is the position, to be set by the trainer; None where there is none."""
        at = 0
        for feature in self.features:
            if isinstance(feature, Position):
                return at
            at += len(feature.columns)
        return None

    @cached_property
    def relative_columns(self) -> list[int]:
        """Columns of a candidate that depend on the other candidates of its request."""
        found: list[int] = []
        at = 0
        for feature in self.features:
            if is_relative(feature):
                found += range(at, at + len(feature.columns))
            at += len(feature.columns)
        return found

    @cached_property
    def categorical_columns(self) -> list[int]:
        """Columns that hold codes, for the booster to split by sets."""
        found: list[int] = []
        at = 0
        for feature in self.features:
            found += [at + place for place in coded_columns(feature)]
            at += len(feature.columns)
        return found


def load_view(text: str) -> View:
    """Read and check eddyline.yaml.

    Raises
    ------
    ViewError
        With every problem at once, each with its line and remedy.
    """
    problems = Problems()
    root = Section(compose(text), "", problems)
    if not isinstance(root.node, MappingNode):
        problems.raise_if_any()
        raise ViewError([Problem(1, "the file must be a mapping: start with `view: <name>`")])
    name = read_name(root, "view", example="shop")
    actions = _read_actions(root)
    window = root.duration("label_window", example="30m")
    limits = _read_limits(root)
    prior = _read_prior(root)
    features = _read_features(root, tuple(actions), limits)
    learning = read_learning(root)
    online = read_online(root, window)
    exploration = read_exploration(root)
    recommend = read_recommend(root)
    explanations = read_explanations(root, {feature.name: feature for feature in features})
    content = read_content(root)
    if content is None and _asks_for_content(features, recommend):
        content = Content()
    _check_columns(root, features)
    _check_target(root, actions, online, learning)
    for feature in features:
        if online is None and isinstance(feature, OnlineScore | OnlineSimilarity):
            root.problems.add(
                root.line_of("features"),
                f"feature `{feature.name}` reads the online model, and there is none: add `online: {{rule: sgd}}`",
            )
    root.close()
    problems.raise_if_any()
    assert name is not None
    assert window is not None
    return View(
        name=name,
        actions=actions,
        label_window_ms=window,
        limits=limits,
        prior=prior,
        features=features,
        learning=learning,
        online=online,
        exploration=exploration,
        content=content,
        recommend=recommend,
        explanations=explanations,
    )


def _asks_for_content(features: tuple[Declaration, ...], recommend: Recommend | None) -> bool:
    """Whether anything reads vectors of items' texts."""
    return any(isinstance(feature, ContentSimilarity) for feature in features) or (
        recommend is not None and recommend.sources.get(CONTENT, 0.0) > 0.0
    )


def _check_columns(root: Section, features: tuple[Declaration, ...]) -> None:
    """A feature that compares columns of others finds them, and they compare nothing themselves."""
    columns = [
        column
        for feature in features
        if not isinstance(feature, Relative) and not is_relative(feature)
        for column in feature.columns
    ]
    for feature in features:
        if isinstance(feature, Relative) and feature.field.scope == COLUMN:
            name = feature.field.name
            if name not in columns:
                near = difflib.get_close_matches(name, columns, n=1)
                root.problems.add(
                    root.line_of("features"),
                    f"feature `{feature.name}`: no feature gives a column `{name[:60]}`"
                    + (
                        f": did you mean `{near[0]}`?"
                        if near
                        else ": name one that does not compare candidates itself"
                    ),
                )


def _check_target(
    root: Section, actions: Mapping[str, Action], online: Online | None, learning: Learning
) -> None:
    """A model that says values knows which, and nobody takes them for probabilities."""
    if online is None or online.target != VALUE:
        return
    ranges = {action.values for action in actions.values() if action.values}
    if not ranges:
        root.problems.add(
            root.line_of("actions"),
            "`online.target: value` needs an action whose value is an opinion: say from the worst to the best, as "
            "`rating: {weight: 1, values: [0.5, 5]}`",
        )
    if len(ranges) > 1:
        root.problems.add(
            root.line_of("actions"),
            "`online.target: value` needs one scale: give all `values` the same worst and best, or leave some out",
        )
    if learning.objective == "click":
        root.problems.add(
            root.line_of("online"),
            "`online.target: value` orders by values, and `learning.objective: click` by probabilities: "
            "choose `objective: rating` or `rank`, or `target: action`",
        )


def _read_values(section: Section) -> tuple[float, float] | None:
    node = section.take("values")
    if node is None:
        return None
    found: list[float] = []
    if isinstance(node, SequenceNode):
        for member in node.value:
            text = member.value if isinstance(member, ScalarNode) else ""
            try:
                number = float(text)
            except ValueError:
                break
            if not abs(number) <= MOST_VALUE:
                break
            found.append(number)
    if len(found) != 2 or found[0] >= found[1] or len(node.value) != 2:
        section.problems.add(
            node, f"`{section.at('values')}`: the worst and the best value, as [0.5, 5], are expected"
        )
        return None
    return found[0], found[1]


def _read_actions(root: Section) -> dict[str, Action]:
    node = root.need("actions", "{click: 1}")
    section = Section(node, "actions", root.problems) if node is not None else None
    actions: dict[str, Action] = {}
    for name in section.keys() if section else []:
        assert section is not None
        member = section.take(name)
        if isinstance(member, MappingNode):
            inner = Section(member, f"actions.{name}", root.problems)
            weight = inner.number("weight", 1.0, -1e6, 1e6)
            gain = inner.number("gain", max(weight, 0.0), 0.0, 1e6)
            actions[name] = Action(weight=weight, gain=gain, values=_read_values(inner))
            inner.close()
        else:
            weight = section.number(name, 1.0, -1e6, 1e6)
            actions[name] = Action(weight=weight, gain=max(weight, 0.0))
        if name == "impression":
            root.problems.add(
                section.line_of(name), "`actions.impression`: the word means being shown; choose another"
            )
    if node is not None and not actions:
        root.problems.add(root.line_of("actions"), "`actions` is empty: name at least one, as `click: 1`")
    if len(actions) > MAX_ACTIONS:
        root.problems.add(root.line_of("actions"), f"`actions` has more than {MAX_ACTIONS}: name fewer")
    return actions


def _read_limits(root: Section) -> Limits:
    section = root.section("limits")
    if section is None:
        return Limits()
    least_items = 1_000
    limits = Limits(
        # A whole slate must fit, or its first items would be forgotten while its last are counted.
        items=section.integer("items", Limits.items, least_items, 16_000_000),
        users=section.integer("users", Limits.users, 1, 100_000_000),
        sessions=section.integer("sessions", Limits.sessions, 1, 100_000_000),
        values=section.integer("values", Limits.values, 100, 100_000_000),
        values_per_field=section.integer("values_per_field", Limits.values_per_field, 1, 256),
        groups=section.integer("groups", Limits.groups, 8, 100_000_000),
        acted=section.integer("acted", Limits.acted, 1, 4_096),
        shown=section.integer("shown", Limits.shown, 1, 4_096),
    )
    section.close()
    return limits


def _read_prior(root: Section) -> Prior:
    section = root.section("prior")
    if section is None:
        return Prior()
    half_life = section.duration("half_life", Prior.half_life_ms, example="7d")
    prior = Prior(
        half_life_ms=half_life or Prior.half_life_ms,
        strength=section.number("strength", Prior.strength, 0.001, 1e6),
    )
    section.close()
    return prior


def _read_features(root: Section, actions: tuple[str, ...], limits: Limits) -> tuple[Declaration, ...]:
    node = root.need("features", "[{name: price, kind: number, field: item.price}]")
    if node is None:
        return ()
    if not isinstance(node, SequenceNode) or not node.value:
        root.problems.add(node, "`features` must be a list: `- name: price` with its `kind` below it")
        return ()
    features: list[Declaration] = []
    lines: dict[str, int] = {}
    n_columns = 0
    has_position = False
    for index, member in enumerate(node.value):
        section = Section(member, f"features[{index}]", root.problems)
        feature = read_feature(section, actions)
        if feature is None:
            continue
        for column in feature.columns:
            first = lines.setdefault(column, section.line)
            if first != section.line:
                root.problems.add(
                    section.line,
                    f"column `{column}` is already given by the feature on line {first}: rename one",
                )
        if acted_entries(feature) > limits.acted:
            root.problems.add(
                section.line_of("last"),
                f"`{section.at('last')}`: {limits.acted} interactions of a person are kept: "
                f"set `limits.acted: {acted_entries(feature)}`, or lower it",
            )
        if isinstance(feature, Position):
            if has_position:
                root.problems.add(section.line, "a second `position`: one is enough, remove it")
            has_position = True
        n_columns += len(feature.columns)
        features.append(feature)
    if n_columns > MAX_COLUMNS:
        root.problems.add(
            node, f"{n_columns:,} columns in all; at most {MAX_COLUMNS:,} are possible: declare fewer"
        )
    return tuple(features)
