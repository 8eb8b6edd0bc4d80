"""``recommend.diversity_by``: the fields that diversity looks at are among those that are kept for it."""

import pytest

from eddyline_features.view import ViewError, load_view

_VIEW = """
view: shop
actions: {click: 1}
label_window: 10m
recommend:
  fields: [brand, price]
  diversity_by: %s
features: [{name: age, kind: item_age}]
"""


def test_fields_for_diversity_are_named_as_those_of_items_are() -> None:
    recommend = load_view(_VIEW % "[item.brand]").recommend
    assert recommend is not None
    assert recommend.diversity_by == ("brand",)


def test_a_field_that_is_not_kept_is_refused_with_its_line_and_a_remedy() -> None:
    with pytest.raises(ViewError, match=r"line 7: .*`colour` is not among `recommend\.fields`: add it there"):
        load_view(_VIEW % "[brand, colour]")


def test_another_choice_for_diversity_leaves_the_state_as_it_is() -> None:
    assert load_view(_VIEW % "[brand]").id == load_view(_VIEW % "[price]").id
