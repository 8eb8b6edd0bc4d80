"""eddyline.yaml: what is read, what shapes the id, and how every mistake is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from eddyline_features.view import ViewError, load_view

SMALL = """\
view: shop
actions:
  click: 1
  buy: {weight: 5, gain: 3}
label_window: 30m
features:
  - {name: price, kind: number, field: item.price}
  - {name: ctr, kind: rate, half_lives: [1h, 7d]}
  - {name: place, kind: position}
learning: {trees: 50}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ViewError) as caught:
        load_view(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_view_is_read_with_defaults_for_what_is_not_said() -> None:
    view = load_view(SMALL)
    assert view.name == "shop"
    assert view.label_window_ms == 1_800_000
    assert view.columns == ["price", "ctr_1h", "ctr_7d", "place"]
    assert view.position_column == 3
    assert view.categorical_columns == []
    assert (view.actions["click"].weight, view.actions["click"].gain) == (1.0, 1.0)
    assert (view.actions["buy"].weight, view.actions["buy"].gain) == (5.0, 3.0)
    assert (view.learning.trees, view.learning.growth, view.learning.objective) == (50, 1.5, "rank")
    assert view.limits.items == 200_000


def test_the_id_changes_with_what_shapes_state_or_vectors_and_with_nothing_else() -> None:
    name = load_view(SMALL).id
    assert name.startswith("shop-")
    assert len(name) == len("shop-") + 8
    for same in ("trees: 51", "trees: 50, growth: 2"):
        assert load_view(SMALL.replace("trees: 50", same)).id == name
    assert load_view(SMALL.replace("gain: 3", "gain: 4")).id == name
    assert load_view(SMALL.replace("30m", "1h")).id == name
    assert load_view("# a comment\n" + SMALL).id == name
    for other in (
        SMALL.replace("7d", "8d"),
        SMALL.replace("weight: 5", "weight: 6"),
        SMALL.replace("name: price", "name: cost"),
        SMALL + "limits: {users: 10}\n",
        SMALL + "prior: {strength: 3}\n",
    ):
        assert load_view(other).id != name


def test_the_id_is_the_same_on_every_machine() -> None:
    assert load_view(SMALL).id == "shop-10cff6a3"


def test_what_says_no_weighs_below_nothing_and_is_no_label() -> None:
    text = SMALL.replace("click: 1", "click: 1\n  hide: -2\n  return: {weight: -3, gain: 0.5}")
    actions = load_view(text).actions
    assert (actions["hide"].weight, actions["hide"].gain) == (-2.0, 0.0)
    assert (actions["return"].weight, actions["return"].gain) == (-3.0, 0.5)


def test_every_mistake_is_told_at_once_with_its_line_and_remedy() -> None:
    text = """\
view: 7 shops
action: {click: 1}
label_window: soon
limits: {items: 10, user: 5}
features:
  - {name: price, kind: nunber, field: item.price}
  - {name: price, kind: number, field: price}
  - {name: ctr, kind: rate, half_lives: [1h, 1x], halflives: 2, reduce: mean}
  - {name: a, kind: position}
  - {name: b, kind: position}
  - {name: b, kind: item_age}
  - {name: b, name: c, kind: item_age}
learning: {objective: ranking, trees: many, leaves: 1}
"""
    assert problems(text) == [
        "line 1: `view` is '7 shops'; letters, digits, `_`, `-` and `.` are allowed, "
        "at most 100, starting with a letter",
        "line 1: `actions` is missing: add, for example, `actions: {click: 1}`",
        "line 2: `action` is unknown: did you mean `actions`?",
        "line 3: `label_window` is 'soon'; a duration is expected, such as 10s, 5m, 1h or 7d",
        "line 4: `limits.items` is '10'; a whole number from 1,000 to 16,000,000 is expected",
        "line 4: `limits.user` is unknown: did you mean `users`?",
        "line 6: `features[0].kind` is 'nunber': did you mean `number`?",
        "line 7: `features[1].field` is 'price'; say where the field is: "
        "item.<field>, slate.<field>, user.<field>, context.<field>",
        "line 8: `features[2].half_lives` is '1x'; a duration is expected, such as 10s, 5m, 1h or 7d, or `forever`",
        "line 8: `features[2].reduce` is for fields with several values: "
        "use it with `by: item.<field>`, or leave it out",
        "line 8: `features[2].halflives` is unknown: did you mean `half_lives`?",
        "line 10: a second `position`: one is enough, remove it",
        "line 11: column `b` is already given by the feature on line 10: rename one",
        "line 12: `features[6].name` is given twice (first on line 12): keep one",
        "line 12: column `b` is already given by the feature on line 10: rename one",
        "line 13: `learning.objective` is 'ranking': did you mean `rank`?",
        "line 13: `learning.trees` is 'many'; a whole number from 1 to 10,000 is expected",
        "line 13: `learning.leaves` is '1'; a whole number from 2 to 4,096 is expected",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the file is empty: start with `view: <name>`"),
        ("view: [a\n", "line 2: not YAML"),
        ("- a\n", "line 1: the file is a list"),
        ("just words", "line 1: the file is 'just words'"),
        ("view: \x00", "line 1: not YAML"),
        (SMALL.replace("field: item.price", "field: item."), "line 7: `features[0].field` is 'item.'"),
        (SMALL.replace("number, field: item.price", "rate"), "line 7: `features[0].half_lives` is missing"),
        (
            SMALL.replace("half_lives: [1h, 7d]", "half_lives: []"),
            "line 8: `features[1].half_lives` is empty",
        ),
        (SMALL.replace("[1h, 7d]", "[1h, 60m]"), "line 8: `features[1].half_lives` names something twice"),
        (
            SMALL.replace("[1h, 7d]", "[0s]"),
            "line 8: `features[1].half_lives` is '0s'; a duration is expected",
        ),
        (SMALL.replace("kind: rate", "kind: rate, actions: clic"), "did you mean `click`?"),
        (SMALL.replace("click: 1", "click: -1e7"), "line 3: `actions.click` is '-1e7'; a number from -1e+06"),
        (SMALL.replace("click: 1", "click: .inf"), "line 3: `actions.click` is '.inf'; a number from -1e+06"),
        (SMALL.replace("gain: 3", "gain: -3"), "line 4: `actions.buy.gain` is '-3'; a number from 0"),
        (SMALL.replace("click: 1", "impression: 1"), "the word means being shown; choose another"),
        (
            SMALL.replace("number, field", "categories, encode: one-hot, field"),
            "add `values: [a, b]`, or use index",
        ),
        (
            SMALL.replace("number, field", "categories, values: [yes, no], field"),
            "`features[0].values` holds 'yes': write words, in quotes if need be",
        ),
        (
            SMALL.replace("kind: rate", "kind: rate, by: slate.shelf"),
            "`features[1].by` is 'slate.shelf'; here it can be item, item.<field>, user, user.<field>, session, "
            "context.<field>, global",
        ),
        (SMALL.replace("name: price", "name: 9"), "line 7: `features[0].name` is '9'; a word is expected"),
        (SMALL + "view: again\n", "line 11: `view` is given twice (first on line 1): keep one"),
    ],
)
def test_a_mistake_names_line_and_remedy(text: str, told: str) -> None:
    assert told in "\n".join(problems(text))


def test_numbers_may_be_written_as_people_do() -> None:
    view = load_view(SMALL.replace("trees: 50", "trees: 1_000, learning_rate: 5e-2"))
    assert (view.learning.trees, view.learning.learning_rate) == (1_000, 0.05)


def test_reading_a_view_needs_neither_numpy_nor_numba() -> None:
    script = (
        "import sys, eddyline_features.view as view; view.load_view(sys.argv[1]); "
        "print({'numpy', 'numba'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script, SMALL], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_views_in_examples_are_valid() -> None:
    for path in (Path(__file__).parents[3] / "examples").glob("*.yaml"):
        load_view(path.read_text())


def test_the_view_in_the_reference_is_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "features.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(load_view(example).features) > 5


def test_exploration_is_read_and_what_is_wrong_with_it_said() -> None:
    text = "view: shop\nlabel_window: 1h\nactions: {click: {}}\nfeatures: [{name: r, kind: rate, half_lives: [1h]}]\n"
    view = load_view(
        text + "exploration: {policy: plackett-luce, temperature: 0.5, salt: autumn, share: 0.1}\n"
    )
    told = view.exploration
    assert (told.policy, told.temperature, told.salt, told.share) == ("plackett-luce", 0.5, "autumn", 0.1)
    assert not told.needs_deviations
    assert view.id == load_view(text).id, "none of it shapes state, vectors or models"
    with pytest.raises(ViewError) as refused:
        load_view(
            text
            + "exploration:\n  policy: plackett\n  epsilon: 2\n  temperature: 0\n  scale: x\n  salt: [1]\n"
        )
    said = str(refused.value)
    for line in (
        "line 6: `exploration.policy` is 'plackett': did you mean `plackett-luce`?",
        "line 7: `exploration.epsilon` is '2'; a number from 0 to 1 is expected",
        "line 8: `exploration.temperature` is '0'; a number from 0.001 to 1000 is expected",
        "line 9: `exploration.scale`",
        "line 10: `exploration.salt` is a list; a word is expected",
    ):
        assert line in said
