"""What to make of a field, by its type and by how often its values come again; or the reason to leave it out."""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline_features.declarations.paths import CONTEXT, ITEM, SLATE, USER
from eddyline_features.field_profile import FieldProfile

ONE_HOT = 8
"""Up to so many values each get a column."""
CODES = 255
_SHARE_OF_TYPE = 0.9
_FREE_TEXT_CHARS = 40
_LEAST_REPETITION = 1.5
"""A value must be shared by so many items on average, or it says no more than the item itself."""
_LEAST_ROWS_A_CODE = 20
_LEAST_SHARE = 0.02
_TIME_WORDS = ("date", "time", "created", "published", "released", "updated", "_at")


@dataclass(frozen=True)
class Choice:
    """What becomes of one field."""

    scope: str
    name: str
    kind: str = ""
    """``number``, ``boolean``, ``one-hot``, ``index`` or ``item_age``; empty when none of them fits."""
    counted: bool = False
    """Whether rates and affinities by its values are worth their room."""
    values: list[str] = field(default_factory=list)
    """The columns of one-hot."""
    share: float = 1.0
    """Part of the entities that have it."""
    why: str = ""

    @property
    def is_left_out(self) -> bool:
        """Whether no feature comes of it."""
        return not self.kind and not self.counted


def choose(scope: str, name: str, seen: FieldProfile, n_entities: int) -> Choice:
    """Decide by the figures of the field; ``n_entities`` is how many could have had it."""
    share = min(1.0, seen.n / max(1, n_entities))

    def out(why: str) -> Choice:
        return Choice(scope, name, share=share, why=why)

    if not seen.n:
        return out("never a value")
    if share < _LEAST_SHARE:
        return out(f"only {share:.1%} have it")
    if seen.n_distinct <= 1:
        return out("always the same value" if seen.n_distinct else "neither numbers nor words")
    if seen.n_lists > seen.n / 2:
        return _of_list(scope, name, seen, share)
    if seen.n_booleans >= _SHARE_OF_TYPE * seen.n:
        return Choice(scope, name, "boolean", share=share, why=f"{_people(scope)} with it: {share:.0%}")
    if seen.n_moments >= _SHARE_OF_TYPE * seen.n and (seen.n_texts > seen.n / 2 or _sounds_like_time(name)):
        if scope == ITEM:
            return Choice(scope, name, "item_age", share=share, why="a time: its age is what can be compared")
        return out("a time: no kind takes it there")
    if seen.n_numbers >= _SHARE_OF_TYPE * seen.n:
        if _is_key(name, seen):
            return out(f"a key: {seen.n_distinct:,} different whole numbers, hardly one twice")
        why = f"{seen.n_distinct:,} different numbers, {share:.0%} have one"
        return Choice(scope, name, "number", share=share, why=why)
    if seen.n_texts + seen.n_booleans + seen.n_numbers < _SHARE_OF_TYPE * seen.n:
        return out("neither numbers, words nor lists")
    return _of_words(scope, name, seen, share)


def _of_list(scope: str, name: str, seen: FieldProfile, share: float) -> Choice:
    if seen.n_fractions:
        return Choice(
            scope, name, share=share, why="lists of numbers with decimals: a vector, no kind takes it"
        )
    counted = scope == ITEM and seen.repetition >= _LEAST_REPETITION
    few = seen.values.is_exact and seen.n_distinct <= ONE_HOT
    figures = f"lists of {seen.n_distinct:,} values, each on {seen.repetition:,.1f} {_people(scope)}"
    if not counted and not few:
        return Choice(
            scope, name, share=share, why=f"{figures}: too many for columns, too rare to be counted"
        )
    values = sorted(seen.values.counts) if few else []
    return Choice(scope, name, "one-hot" if few else "", counted, values, share, figures)


def _of_words(scope: str, name: str, seen: FieldProfile, share: float) -> Choice:
    figures = f"{seen.n_distinct:,} values, each on {seen.repetition:,.1f} {_people(scope)}"
    if seen.mean_chars > _FREE_TEXT_CHARS:
        return Choice(
            scope, name, share=share, why=f"free text of {seen.mean_chars:,.0f} characters on average"
        )
    if seen.repetition < _LEAST_REPETITION:
        return Choice(scope, name, share=share, why=f"a name or key: {figures}")
    kind, values = "", list[str]()
    if seen.values.is_exact and seen.n_distinct <= ONE_HOT:
        kind, values = "one-hot", sorted(seen.values.counts)
    elif seen.n_distinct <= CODES and seen.repetition >= _LEAST_ROWS_A_CODE:
        kind = "index"
    counted = scope == ITEM
    if not kind and not counted:
        return Choice(
            scope, name, share=share, why=f"{figures}: too many for columns, too rare for categories"
        )
    return Choice(scope, name, kind, counted, values, share, figures)


def _is_key(name: str, seen: FieldProfile) -> bool:
    last = name.lower().replace("-", "_").rsplit("_", 1)[-1]
    named = last in ("id", "key", "ean", "isbn", "sku", "zip") or name.endswith("Id")
    return named and seen.n_distinct > 2


def _sounds_like_time(name: str) -> bool:
    return any(word in name.lower() for word in _TIME_WORDS)


def _people(scope: str) -> str:
    return {ITEM: "items", USER: "users", SLATE: "impressions", CONTEXT: "slates"}[scope]
