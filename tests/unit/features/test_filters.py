"""The filter language: what each form means, and what is said of those that mean nothing."""

from typing import Any

import numpy as np
import pytest

from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.record import Logged
from eddyline_features.filters.conditions import Between, Condition, Every, Known, Not, OneOf, Some
from eddyline_features.filters.masks import Filters
from eddyline_features.filters.reading import InvalidFilter, read_filter
from eddyline_features.filters.shortening import shortened
from eddyline_features.state import State
from eddyline_features.view import load_view

_VIEW = """
view: shop
actions: {click: 1}
label_window: 10m
limits: {items: 1000, values_per_field: 5}
recommend:
  fields: [brand, price, tags, sale]
features:
  - {name: age, kind: item_age}
  - {name: stars, kind: number, field: item.stars}
"""


class Shop:
    """A state with some items, and its filters."""

    def __init__(self, *items: dict[str, Any], view: str = _VIEW) -> None:
        self.state = State(load_view(view))
        self.filters = Filters(self.state)
        for n, fields in enumerate(items):
            self.put(f"i{n}", fields)

    def put(self, item: str, fields: dict[str, Any], *, removed: bool = False) -> None:
        place = self.state.sequence + 1
        event = ItemUpserted(id=f"e{place}", item=item, fields=fields, removed=removed)
        self.state.apply(Logged(place, f"e{place}", place, place, event))

    def found(self, form: dict[str, Any]) -> list[int]:
        mask = self.filters.allowed(form)
        if mask is None:
            return list(range(len(self.state.items)))
        assert len(mask) == len(self.state.items)
        return [row for row, allowed in enumerate(mask.tolist()) if allowed]


def _shop() -> Shop:
    return Shop(
        {"brand": "acme", "price": 10, "tags": ["red", "new"], "sale": True},
        {"brand": "acme", "price": 25.5, "tags": ["red"], "sale": False},
        {"brand": "bolt", "price": 20, "tags": []},
        {"brand": "7", "price": "20"},
        {},
    )


@pytest.mark.parametrize(
    ("form", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"brand": "acme"}, [0, 1]),
        ({"field": "brand", "equals": "acme"}, [0, 1]),
        ({"brand": {"equals": "acme"}}, [0, 1]),
        ({"brand": ["bolt", 7, "nobody"]}, [2, 3]),
        ({"field": "brand", "in": ["bolt"]}, [2]),
        ({"brand": "nobody"}, []),
        ({"price": {"lte": 20}}, [0, 2]),
        ({"price": {"gt": 10, "lt": 25.5}}, [2]),
        ({"field": "price", "gte": 10, "lt": 20}, [0]),
        ({"price": {"gt": 30, "lt": 5}}, []),
        ({"price": 20}, [2, 3]),
        ({"price": "20"}, [2, 3]),
        ({"price": [10, 25.5, "20"]}, [0, 1, 2, 3]),
        ({"tags": "red"}, [0, 1]),
        ({"tags": ["new", "blue"]}, [0]),
        ({"tags": {"contains": "red"}}, [0, 1]),
        ({"tags": {"contains": ["red", "new"]}}, [0]),
        ({"sale": True}, [0]),
        ({"sale": False}, [1]),
        ({"sale": {"gte": 1}}, [0]),
        ({"tags": {"exists": True}}, [0, 1]),
        ({"tags": {"exists": False}}, [2, 3, 4]),
        ({"price": {"exists": True}}, [0, 1, 2, 3]),
        ({"brand": "acme", "price": {"lte": 20}}, [0]),
        (
            {"and": [{"field": "brand", "in": ["acme", "bolt"]}, {"not": {"field": "price", "gt": 20}}]},
            [0, 2],
        ),
        ({"or": [{"brand": "bolt"}, {"tags": "new"}, {"sale": False}]}, [0, 1, 2]),
        ({"or": [{"brand": "bolt"}, {"tags": "new"}], "price": {"gt": 10}}, [2]),
        ({"not": {"price": {"gt": 0}}}, [3, 4]),
        ({"not": {"brand": "acme", "price": 10}}, [1, 2, 3, 4]),
        ({"not": {"or": [{"brand": "acme"}, {"brand": "bolt"}]}}, [3, 4]),
        ({"not": {"not": {"brand": "bolt"}}}, [2]),
        ({"not": {"brand": "nobody"}}, [0, 1, 2, 3, 4]),
    ],
)
def test_a_filter_lets_through_what_it_says(form: dict[str, Any], rows: list[int]) -> None:
    assert _shop().found(form) == rows


def test_a_text_that_no_item_had_is_found_once_an_item_has_it() -> None:
    shop = _shop()
    form = {"brand": "nova"}
    assert shop.found(form) == []
    shop.put("i2", {"brand": "nova"})
    shop.put("i9", {"brand": ["nova", "acme"]})
    assert shop.found(form) == [2, 5]
    shop.put("i2", {}, removed=True)
    assert shop.found(form) == [5]


def test_a_value_that_had_no_room_is_missing_and_hides_none_after_it() -> None:
    shop = Shop(view=_VIEW.replace("values_per_field: 5", "values_per_field: 5, values: 100"))
    for n in range(98):
        shop.put(f"other{n}", {"brand": str(n)})
    for n, tags in enumerate([["a", "b"], ["c", "b"], ["c", "d"]]):
        shop.put(f"i{n}", {"tags": tags})
    assert shop.state.values.n_refused
    assert shop.found({"tags": "b"}) == [98, 99]
    assert shop.found({"tags": {"exists": True}}) == [98, 99]


def test_values_beyond_those_that_are_kept_are_not_seen() -> None:
    shop = Shop({"tags": ["a", "b", "c", "d", "e", "f"]})
    assert shop.found({"tags": "e"}) == [0]
    assert shop.found({"tags": "f"}) == []


def test_long_texts_are_told_apart() -> None:
    shop = Shop({"brand": "x" * 100}, {"brand": "x" * 99 + "y"})
    assert shop.found({"brand": "x" * 99 + "y"}) == [1]


def test_a_field_that_a_feature_keeps_as_a_number_can_be_asked_for_as_one() -> None:
    shop = Shop({"stars": 4}, {"stars": 2.5}, {"stars": True})
    assert shop.found({"stars": {"gt": 3}}) == [0]
    assert shop.found({"stars": 4}) == shop.found({"stars": "4"}) == [0]
    assert shop.found({"stars": True}) == [2]


def test_a_feature_that_reads_true_and_false_hides_no_number() -> None:
    shop = Shop(
        {"price": 4, "sale": 0.5},
        {"price": True, "sale": True},
        view=_VIEW + "  - {name: on_sale, kind: boolean, field: item.sale}\n",
    )
    assert shop.found({"sale": {"lt": 1}}) == [0]
    assert shop.found({"sale": True}) == [1]


def test_both_spellings_mean_the_same() -> None:
    short = read_filter({"brand": ["a"], "price": {"gte": 1, "lte": 2}})
    assert isinstance(short, Every)
    one, other = short.parts
    assert isinstance(one, OneOf)
    assert (one.field, one.values) == ("brand", ("a",))
    assert isinstance(other, Between)
    assert (other.field, other.least, other.most) == ("price", 1.0, 2.0)
    assert isinstance(read_filter({"field": "a", "exists": True}), Known)
    assert isinstance(read_filter({"field": "a", "exists": False}), Not)
    assert isinstance(read_filter({"or": [{"a": 1}, {"b": 2}]}), Some)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (["a"], "`filters` is a list: a condition is expected"),
        ({"price": {"lt_e": 3}}, "`filters.price.lt_e`: there is no operator `lt_e`: did you mean `lte`?"),
        ({"price": {"$lte": 3}}, "did you mean `lte`?"),
        ({"price": {"max": 3}}, "did you mean `lte`?"),
        ({"price": {"ne": 3}}, 'did you mean `not`, as {"not": {"brand": "a"}}?'),
        ({"price": {"zzz": 3}}, "there is no operator `zzz` (there are `equals`, `in`, `gt`, "),
        ({"field": "price", "lte": 3, "and": []}, "`filters.and`: there is no operator `and`"),
        ({"field": "price"}, "`filters` says nothing of `price`: add one of `equals`"),
        ({"field": 3, "lte": 3}, "`filters.field` is 3: the name of an item field is expected"),
        ({"price": {}}, "`filters.price` says nothing: add one of"),
        (
            {"price": {"lte": "3"}},
            "`filters.price.lte` is '3': a number is expected, as 20; only numbers have",
        ),
        ({"price": {"lte": True}}, "`filters.price.lte` is true: a number is expected"),
        ({"price": {"lte": float("nan")}}, "a number is expected"),
        ({"price": {"lte": 10**400}}, "a number beyond all bounds: a number is expected"),
        ({"price": 2**64}, "a number of at most 64 bits is expected"),
        (
            {"brand": None},
            '`filters.brand` is null, which no field is: for items without the field say {"exists"',
        ),
        ({"brand": []}, "`filters.brand` is an empty list, which is true of no item"),
        ({"brand": {"in": "a"}}, "`filters.brand.in` is 'a': a list is expected"),
        ({"brand": {"equals": ["a"]}}, "say `in` where one of its values will do, `contains` where all must"),
        ({"brand": ["a", {"b": 1}]}, "`filters.brand[1]` is an object: a text, a number, true or false"),
        ({"brand": {"exists": 1}}, "`filters.brand.exists` is 1: true or false is expected"),
        ({"and": []}, "`filters.and` is an empty list: a list of conditions is expected"),
        ({"or": {"brand": "a"}}, "`filters.or` is an object: a list of conditions is expected"),
        ({"or": [{"a": 1}, "b"]}, "`filters.or[1]` is 'b': a condition is expected"),
        ({"not": [{"a": 1}]}, "`filters.not` is a list: a condition is expected"),
        ({"$or": [{"a": 1}]}, "`filters.$or` is taken for a field: did you mean `or`?"),
        ({"must_not": {"a": 1}}, "`filters.must_not` is taken for a field: did you mean `not`?"),
        (
            {"colour": "red"},
            "`filters.colour`: item field `colour` is not kept: add it to `recommend.fields`",
        ),
        (
            {"not": {"or": [{"x": {"gt": 1}}, {"price": 2}]}},
            "`filters.not.or[0].x`: item field `x` is not kept",
        ),
        ({"brand": list(range(1_001))}, "more than 1,000 values in one filter: send fewer"),
        ({"or": [{"brand": "a"}] * 101}, "`filters.or[100].brand`: more than 100 conditions in one filter"),
    ],
)
def test_what_means_nothing_is_refused_with_its_place_and_a_remedy(form: Any, words: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        _shop().filters.allowed(form)
    assert words in str(refused.value)


def test_conditions_inside_each_other_are_bounded() -> None:
    form: dict[str, Any] = {"brand": "a"}
    for _ in range(10):
        form = {"not": form}
    read_filter(form)
    with pytest.raises(InvalidFilter, match="more than 10 of `and`, `or` and `not` are inside each other"):
        read_filter({"not": form})


def test_a_field_of_which_only_texts_are_kept_has_no_order() -> None:
    view = _VIEW.replace("recommend:\n  fields: [brand, price, tags, sale]\n", "")
    view += "  - {name: liked, kind: affinity, field: item.size, half_lives: [1h]}\n"
    shop = Shop({"size": "xl"}, view=view)
    assert shop.found({"size": "xl"}) == [0]
    with pytest.raises(InvalidFilter, match="of item field `size` only texts are kept, which have no order"):
        shop.found({"size": {"gt": 3}})


def test_the_longest_unused_filter_is_forgotten() -> None:
    shop = _shop()
    filters = Filters(shop.state, remembered=2)
    forms = [
        {"brand": "acme"},
        {"brand": "bolt"},
        {"brand": "acme", "price": 10},
        {"price": 10, "brand": "acme"},
    ]
    for form in forms:
        filters.allowed(form)
    # The last two are the same, and the first is gone.
    assert len(filters) == 2


def test_what_has_no_canonical_form_is_read_or_refused_like_any_other() -> None:
    """Half a surrogate pair cannot be written as UTF-8, and what lies too deep not at all."""
    half, deep = "\ud83d", {"brand": "acme"}
    shop = Shop({"brand": half}, {"brand": "acme"})
    assert shop.found({"brand": half}) == [0]
    assert shop.found({"not": {"brand": half}}) == [1]
    for _ in range(5_000):
        deep = {"not": deep}
    with pytest.raises(InvalidFilter, match="make it flatter"):
        shop.found(deep)


def test_whole_numbers_from_2_to_the_53_on_are_told_apart_as_ids_must_be() -> None:
    edge = Shop(*({"price": 2**53 + more} for more in (-1, 0, 1)))
    assert [edge.found({"price": 2**53 + more}) for more in (-1, 0, 1)] == [[0], [1], [2]]
    shop = Shop({"price": 2**60}, {"price": 2**60 + 1}, {"price": [2**60 + 1]}, {"price": float(2**60)})
    assert shop.found({"price": 2**60 + 1}) == [1, 2]
    assert shop.found({"price": str(2**60)}) == [0]
    assert shop.found({"price": {"gte": 2**60}}) == [0, 1, 3]
    assert shop.state.fields.texts("price", np.array([0, 1], np.int32)) == [[str(2**60)], [str(2**60 + 1)]]


@pytest.mark.parametrize(
    ("form", "same"),
    [
        ({"or": [{"tags": "a"}, {"tags": ["b", "c"]}]}, {"tags": ["a", "b", "c"]}),
        (
            {"or": [{"tags": "a"}, {"brand": "b"}, {"tags": "c"}]},
            {"or": [{"tags": ["a", "c"]}, {"brand": "b"}]},
        ),
        (
            {"and": [{"not": {"tags": "a"}}, {"price": 1}, {"not": {"tags": "b"}}]},
            {"and": [{"price": 1}, {"not": {"tags": ["a", "b"]}}]},
        ),
        ({"not": {"or": [{"tags": "a"}, {"tags": "b"}]}}, {"not": {"tags": ["a", "b"]}}),
        # Both must be there: one pass for each.
        ({"tags": {"contains": ["a", "b"]}}, {"tags": {"contains": ["a", "b"]}}),
        ({"or": [{"not": {"tags": "a"}}, {"not": {"tags": "b"}}]},) * 2,
        ({},) * 2,
    ],
)
def test_many_values_of_a_field_are_looked_for_at_once(form: dict[str, Any], same: dict[str, Any]) -> None:
    def told(condition: Condition) -> Any:
        if isinstance(condition, Every | Some):
            return type(condition), [told(part) for part in condition.parts]
        if isinstance(condition, Not):
            return Not, told(condition.part)
        return type(condition), condition.field, getattr(condition, "values", None)

    assert told(shortened(read_filter(form))) == told(read_filter(same))
