"""The schema for editors is what the readers ask for: it takes all that they take, and no key, word or type beside."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eddyline_features.declarations.registry import KINDS
from eddyline_features.listening import SAMPLES, Unheard, listen
from eddyline_features.schema import encoded_schema, view_schema
from eddyline_features.view import ViewError, load_view
from eddyline_features.yaml_reader import Section

ROOT = Path(__file__).parents[3]
FILES = [*sorted((ROOT / "examples").glob("*.yaml")), ROOT / "tests" / "data" / "eddyline.yaml"]
PAGES = sorted((ROOT / "docs" / "features").glob("*.md"))
SCHEMA = jsonschema_rs.validator_for(view_schema())


def of_page(path: Path) -> dict[str, Any]:
    """The declaration at the top of a kind's page, made whole."""
    block = re.search(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)
    assert block is not None
    return {
        "view": "page",
        "actions": {"click": 1, "buy": 5, "view": 1, "dislike": -1, "hide": -1},
        "label_window": "30m",
        "online": {},
        **yaml.safe_load(block[1]),
    }


DECLARATIONS = {path.name: yaml.safe_load(path.read_text()) for path in FILES} | {
    path.name: of_page(path) for path in PAGES
}


def complaints(declaration: Any) -> list[str]:
    return [
        f"{'.'.join(map(str, error.instance_path))}: {error.message}"
        for error in SCHEMA.iter_errors(declaration)
    ]


def accepted(declaration: Any) -> bool:
    try:
        load_view(yaml.safe_dump(declaration, sort_keys=False))
    except ViewError:
        return False
    return True


def keys_of(declaration: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every key of a file with the mapping that holds it; of its features, too."""
    held = [declaration, *declaration["features"]]
    held += [declaration[part] for part in ("limits", "prior", "learning") if declaration.get(part)]
    for mapping in held:
        for key in mapping:
            yield mapping, key


def test_the_published_schema_is_up_to_date() -> None:
    published = ROOT / "docs" / "eddyline.schema.json"
    assert published.read_text() == encoded_schema(), (
        "run eddyline validate --schema > docs/eddyline.schema.json"
    )


@pytest.mark.parametrize("name", DECLARATIONS)
def test_every_example_of_the_docs_is_valid(name: str) -> None:
    assert complaints(DECLARATIONS[name]) == []


def test_every_kind_and_every_part_of_the_file_is_there() -> None:
    schema = view_schema()
    assert schema["properties"]["features"]["items"]["properties"]["kind"]["enum"] == list(KINDS)
    with pytest.raises(ViewError) as refusal:
        load_view("zzz: 1")
    told = next(p.message for p in refusal.value.problems if "`zzz` is unknown" in p.message)
    assert set(schema["properties"]) == set(told.partition("known are ")[2].split(", "))


@pytest.mark.parametrize("name", DECLARATIONS)
def test_unknown_keys_kinds_and_wrong_types_are_invalid(name: str) -> None:
    declaration = copy.deepcopy(DECLARATIONS[name])
    n = 0
    for mapping, key in list(keys_of(declaration)):
        mapping[f"{key}zz"] = mapping[key]
        assert complaints(declaration), f"{key}zz"
        del mapping[f"{key}zz"]
        value = mapping[key]
        for wrong in (None, [[1]], {"zz": {"zz": [1]}}):
            mapping[key] = wrong
            assert complaints(declaration), (key, wrong)
        mapping[key] = value
        n += 1
    assert n > 5
    for feature in declaration["features"]:
        kind, feature["kind"] = feature["kind"], "no-such-kind"
        assert complaints(declaration)
        feature["kind"] = kind
        del feature["name"]
        assert complaints(declaration)
        feature["name"] = "back"
    assert complaints(declaration) == []


VALUES = st.one_of(
    st.sampled_from([yaml.safe_load(sample) for sample in SAMPLES]),
    st.integers(-10, 10**9),
    st.floats(-10, 10**7, allow_nan=False),
    st.lists(
        st.sampled_from(["mean", "max", "item.a", "1h", "click", "min", "since", "a b"]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(
        ["index", "one-hot", "vector3", "vector64", "click", "impression", "rank", "ftrl", "ngram"]
    ),
)


@given(data=st.data())
def test_what_the_readers_take_the_schema_takes(data: st.DataObject) -> None:
    declaration = copy.deepcopy(DECLARATIONS[data.draw(st.sampled_from(list(DECLARATIONS)))])
    places = list(keys_of(declaration))
    mapping, key = data.draw(st.sampled_from(places))
    mapping[key] = data.draw(VALUES)
    if accepted(declaration):
        assert complaints(declaration) == []


def test_numbers_that_are_words_to_a_later_yaml_are_valid() -> None:
    declaration = {**copy.deepcopy(DECLARATIONS["eddyline.yaml"]), "limits": {"items": "200_000"}}
    assert complaints(declaration) == []
    assert complaints({**declaration, "limits": {"items": "many"}})
    assert complaints({**declaration, "limits": {"items": 10}})


def test_a_reader_whose_own_example_does_not_satisfy_it_is_found_out() -> None:
    def read(section: Section) -> None:
        section.integer("n", 1, 1, 5)
        word = section.word("how", example="well")
        if word != "better":
            section.problems.add(section.line_of("how"), "`how` must be better")

    with pytest.raises(Unheard, match="must be better"):
        listen(read)


def test_a_key_that_only_some_words_need_is_known_and_not_required() -> None:
    def read(section: Section) -> None:
        if section.choice("by", ("item", "window"), default="item") == "window":
            section.duration("window", example="1d")
            section.integer("n", 3, 1, 9)

    heard = listen(read)
    assert list(heard) == ["by", "window", "n"]
    assert not any(one.required for one in heard.values())
    assert heard["n"].integer == (1, 9)
    assert heard["window"].duration
