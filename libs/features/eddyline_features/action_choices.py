"""What each action is worth, by how rare it is: people do often what costs them little."""

from __future__ import annotations

import math
from dataclasses import dataclass

from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.profiling import ActionProfile, Profile
from eddyline_features.view import MAX_ACTIONS

_MOST = 5
_NEGATIVE = (
    "dislike",
    "disliked",
    "unlike",
    "hide",
    "hidden",
    "mute",
    "thumbs_down",
    "thumbsdown",
    "skip",
    "downvote",
    "block",
    "report",
    "unfollow",
    "unsubscribe",
    "not_interested",
    "dismiss",
    "reject",
    "return",
    "refund",
    "remove",
    "delete",
)
_WEAK = ("view", "impression", "seen", "scroll", "hover", "open", "click", "watch", "listen", "read", "visit")
_KEPT = 50
_LONGEST_NAME = 90
_OPINIONS = ("rating", "rate", "rated", "stars", "score", "review", "mark", "grade")
_MARKS = 21
"""So many different values a scale has at most: 0 to 10 in halves."""
_MOST_MARKS = 1_000
_RATED = 3
"""So many different values are no yes and no."""


@dataclass(frozen=True)
class ActionChoice:
    """An action with its weight, which is its gain too where it is above 0."""

    name: str
    weight: int
    why: str
    values: tuple[float, float] | None = None
    """The worst and the best value, where it says how much something was liked."""


@dataclass(frozen=True)
class ActionChoices:
    """Those that count, the most frequent first, and a reason for each that does not."""

    kept: list[ActionChoice]
    left_out: list[tuple[str, str]]

    @property
    def positive(self) -> list[str]:
        """Names of those with a weight."""
        return [action.name for action in self.kept if action.weight > 0]


def choose_actions(profile: Profile) -> ActionChoices:
    """Weigh actions: √(frequency of the most frequent / its own), from 1 to 5; those that say no -1."""
    kept: list[ActionChoice] = []
    left_out: list[tuple[str, str]] = []
    ordered = sorted(profile.actions.items(), key=lambda pair: (-pair[1].n, pair[0]))
    positive = [seen.n for name, seen in ordered if not _is_negative(name)]
    most = max(positive, default=1)
    for name, seen in ordered:
        share = f"{seen.n:,} times, {seen.n / max(1, profile.n_interactions):.1%} of all"
        if name == IMPRESSION:
            left_out.append((name, f"{share}: being shown is told by slates, not by an action"))
        elif len(kept) >= min(_KEPT, MAX_ACTIONS) or len(name) > _LONGEST_NAME:
            left_out.append((name, share))
        elif _is_negative(name):
            kept.append(ActionChoice(name, -1, f"{share}; by its name it says no"))
        else:
            kept.append(_weighed(name, seen, most, share))
    return ActionChoices(kept, left_out)


def _weighed(name: str, seen: ActionProfile, most: int, share: str) -> ActionChoice:
    if _is_opinion(name, seen):
        why = f"{share}; values from {seen.least:g} to {seen.most:g} say how much it was liked"
        return ActionChoice(name, 1, why, (seen.least, seen.most))
    if _sounds_like(name, _WEAK):
        return ActionChoice(name, 1, share)
    weight = max(1, min(_MOST, round(math.sqrt(most / seen.n))))
    return ActionChoice(name, weight, share if weight == 1 else f"{share}: rarer, so taken for stronger")


def _is_opinion(name: str, seen: ActionProfile) -> bool:
    """Whether its values are marks on a scale: an amount of money or time has no best value, and hardly a same one."""
    if seen.values.n_distinct < _RATED or seen.most - seen.least > _MOST_MARKS:
        return False
    return seen.values.n_distinct <= _MARKS or _sounds_like(name, _OPINIONS)


def _is_negative(name: str) -> bool:
    return _sounds_like(name, _NEGATIVE)


def _sounds_like(name: str, words: tuple[str, ...]) -> bool:
    spelt = name.lower().replace(" ", "_").replace("-", "_")
    return any(spelt == word or spelt.startswith(word + "_") or spelt.endswith("_" + word) for word in words)


def rated(profile: Profile, actions: ActionChoices) -> list[str]:
    """Names of the kept actions whose values differ from one to the next, of those that count for something good."""
    return [name for name in actions.positive if profile.actions[name].values.n_distinct >= _RATED]


def is_rating(profile: Profile) -> bool:
    """Whether most interactions carry a value that differs from one to the next, as stars do."""
    rated = sum(seen.n for seen in profile.actions.values() if seen.values.n_distinct >= _RATED)
    return profile.n_interactions > 0 and rated > profile.n_interactions / 2
