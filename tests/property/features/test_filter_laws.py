"""A filter over all items at once says of each what a plain reading of it says of its fields alone."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.record import Logged
from eddyline_features.filters.masks import Filters
from eddyline_features.state import State
from eddyline_features.view import load_view

_FIELDS = ("a", "b", "and")
_WIDTH = 3
_VIEW = load_view(
    "view: v\nactions: {click: 1}\nlabel_window: 10m\n"
    f"limits: {{items: 1000, values_per_field: {_WIDTH}}}\n"
    f"recommend: {{fields: [{', '.join(_FIELDS)}]}}\n"
    "features: [{name: age, kind: item_age}]"
)

_scalars = st.sampled_from(
    ["x", "y", "", "1", "2.5", "true", "z" * 70, 1, 1.0, 2, 2.5, -3, 0, True, False, 2**53]
)
_values = st.one_of(
    _scalars, st.lists(_scalars, max_size=5), st.none(), st.just({"x": 1}), st.just([None, "x"])
)
_items = st.lists(st.dictionaries(st.sampled_from(_FIELDS), _values), max_size=8)
_bounds = st.sampled_from([-3, 0, 0.5, 1, 2.5, 2, 2**53])
_operators = st.dictionaries(
    st.sampled_from(["equals", "in", "gt", "gte", "lt", "lte", "contains", "exists"]), st.none(), min_size=1
)


@st.composite
def _leaf(draw: st.DrawFn) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for word in draw(_operators):
        if word in ("gt", "gte", "lt", "lte"):
            told[word] = draw(_bounds)
        elif word == "exists":
            told[word] = draw(st.booleans())
        elif word == "in" or (word == "contains" and draw(st.booleans())):
            told[word] = draw(st.lists(_scalars, min_size=1, max_size=4))
        else:
            told[word] = draw(_scalars)
    field = draw(st.sampled_from(_FIELDS))
    if field == "and" or draw(st.booleans()):
        return {"field": field, **told}
    if list(told) in (["equals"], ["in"]) and draw(st.booleans()):
        return {field: next(iter(told.values()))}
    return {field: told}


def _both(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    parts = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"and": parts}),
        st.fixed_dictionaries({"or": parts}),
        st.fixed_dictionaries({"not": children}),
        st.fixed_dictionaries({"or": parts, "not": children, "b": st.just("x")}),
    )


_filters = st.one_of(st.just({}), st.recursive(_leaf(), _both, max_leaves=8))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _text(value: Any) -> str | None:
    """As numbers that are equal are spelt alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(value)
    return value if isinstance(value, str) else None


def _kept(value: Any) -> list[str]:
    members = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(spelt for one in members if (spelt := _text(one)) is not None))[:_WIDTH]


def _equals(value: Any, wanted: Any) -> bool:
    if _text(wanted) in _kept(value):
        return True
    # True and false have the words true and false, and count as 1 and 0 beside numbers.
    return isinstance(value, bool) and _text(wanted) == ("1" if value else "0")


def _holds(word: str, value: Any, wanted: Any) -> bool:
    match word:
        case "equals":
            return _equals(value, wanted)
        case "in":
            return any(_equals(value, one) for one in wanted)
        case "contains":
            return all(_equals(value, one) for one in (wanted if isinstance(wanted, list) else [wanted]))
        case "exists":
            return bool(_kept(value)) == wanted
        case "gt":
            return _number(value) > wanted
        case "gte":
            return _number(value) >= wanted
        case "lt":
            return _number(value) < wanted
        case _:
            return _number(value) <= wanted


def _is_true(form: dict[str, Any], fields: dict[str, Any]) -> bool:
    if "field" in form:
        value = fields.get(form["field"])
        return all(_holds(word, value, wanted) for word, wanted in form.items() if word != "field")
    return all(_member(name, told, fields) for name, told in form.items())


def _member(name: str, told: Any, fields: dict[str, Any]) -> bool:
    if name == "and":
        return all(_is_true(part, fields) for part in told)
    if name == "or":
        return any(_is_true(part, fields) for part in told)
    if name == "not":
        return not _is_true(told, fields)
    if isinstance(told, dict):
        return all(_holds(word, fields.get(name), wanted) for word, wanted in told.items())
    return _holds("in" if isinstance(told, list) else "equals", fields.get(name), told)


@given(_items, _items, st.lists(_filters, min_size=1, max_size=4))
def test_a_filter_says_of_every_item_what_its_fields_say(
    first: list[dict[str, Any]], then: list[dict[str, Any]], forms: list[dict[str, Any]]
) -> None:
    state = State(_VIEW)
    filters = Filters(state)
    known: list[dict[str, Any]] = []
    # Asked before and after items change: what was read of a filter must not outlive what it was read of.
    for batch in (first, then):
        for n, fields in enumerate(batch):
            place = state.sequence + 1
            event = ItemUpserted(id=str(place), item=f"i{n}", fields=fields)
            state.apply(Logged(place, str(place), place, place, event))
            if n == len(known):
                known.append({})
            known[n] |= fields
        for form in forms:
            mask = filters.allowed(form)
            found = [True] * len(known) if mask is None else [bool(allowed) for allowed in mask]
            assert found == [_is_true(form, fields) for fields in known], form
