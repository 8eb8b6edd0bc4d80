"""Words for sentences, from what the feature-store says of the candidates."""

from __future__ import annotations

import msgspec

from eddyline_contracts.candidates import Known
from eddyline_features.explanation_settings import Explanations
from eddyline_learning.explaining.explanations import explanations
from eddyline_learning.explaining.sentences import Speaker, Words
from eddyline_ranker.wording import words_of

DAY_MS = 86_400_000
NOW = 1_000 * DAY_MS
KNOWN = Known(
    values={"brand": [["Acme"], ["Bolt", "Core"], []]},
    recent=["i1", "i2", "i3"],
    recent_values={"title": [["Toy Story"], [], ["x" * 101]], "name": [["Toy"], ["A \n bug"], ["Ex"]]},
    beside=bytes([0, 2, 255]),
    near=bytes([1, 255, 255]),
    first_seen=[NOW - DAY_MS, NOW - 8 * DAY_MS, NOW],
)


def sentences(words: list[Words], source: str, **more: object) -> list[str]:
    told = explanations(
        None,
        None,
        speaker=Speaker(Explanations()),
        language="en",
        sources=[source] * len(words),
        words=words,
        **more,  # type: ignore[arg-type]
    )
    return [one.sentence for one in told]


def test_what_led_to_an_item_is_called_by_the_first_field_that_a_sentence_has_room_for() -> None:
    words = words_of(KNOWN, [0, 1, 2], ["title", "name"], at=NOW)
    assert sentences(words, "co_visitation") == [
        "Because you chose Toy Story",
        "Because you chose Ex",
        "Others who share an interest of yours liked this",
    ]
    assert sentences(words, "content") == ["Similar to A bug", *["Similar to what you chose before"] * 2]
    nameless = words_of(msgspec.structs.replace(KNOWN, recent_values={}), [0], ["title"], at=NOW)
    assert sentences(nameless, "content") == ["Similar to what you chose before"]


def test_what_is_found_by_a_search_is_not_said_to_be_like_something_chosen() -> None:
    words = words_of(KNOWN, [0], ["title"], at=NOW)
    context = {"wish": "toys", "wish_vector": "e:AAAA"}
    assert sentences(words, "content", context=context, queries=["wish"]) == ["Fits your search for “toys”"]
    assert sentences(words, "content", context={"wish_vector": "e:AA"}, queries=["wish"]) == [
        "Fits your search"
    ]
    unread = {"wish": "toys"}
    assert sentences(words, "content", context=unread, queries=["wish"]) == [
        "Similar to what you chose before"
    ]


def test_only_what_came_lately_is_said_to_be_new() -> None:
    """The newest that a catalogue has may be years old."""
    words = words_of(KNOWN, [0, 1, 2], [], at=NOW)
    assert sentences(words, "new") == ["New", "Recommended for you", "New"]
