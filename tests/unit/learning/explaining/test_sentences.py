"""Sentences speak the language that was asked for, and say no more than is known."""

from __future__ import annotations

from string import Formatter

import pytest

from eddyline_features.explanation_settings import PLACEHOLDERS, REASONS, Explanations
from eddyline_features.languages import shipped
from eddyline_features.view import ViewError, load_view
from eddyline_learning.explaining.sentences import Reason, Speaker, Words

VIEW = """
view: shop
actions: {click: 1}
label_window: 30m
features:
  - {name: price, kind: number, field: item.price}
"""
SPEAKER = Speaker(Explanations())


def problems(section: str) -> str:
    with pytest.raises(ViewError) as caught:
        load_view(VIEW + section)
    return str(caught.value)


@pytest.mark.parametrize("language", sorted(shipped()))
def test_a_language_that_comes_along_has_every_reason_and_one_sentence_of_each_needs_nothing(
    language: str,
) -> None:
    assert set(shipped()[language]) == set(REASONS)
    for sentences in shipped()[language].values():
        needed = [[name for _, name, _, _ in Formatter().parse(text) if name] for text in sentences]
        assert needed[-1] == []
        assert all(set(names) <= set(PLACEHOLDERS) for names in needed)


@pytest.mark.parametrize(
    ("wished", "accepted", "spoken"),
    [
        (None, "", "en"),
        (None, "de", "de"),
        (None, "de-AT, en;q=0.8", "de"),
        (None, "fr, DE;q=0.5, en;q=0.4", "de"),
        (None, "en;q=0.1, de;q=0.2", "de"),
        (None, "de;q=0, *", "en"),
        (None, "de;q=much", "en"),
        (None, ", ;;, =", "en"),
        ("de", "en", "de"),
        ("De-ch", "en", "de"),
        ("fr", "de", "de"),
        (7, "de", "de"),
        (None, ",".join(["xx"] * 50) + ",de", "en"),
    ],
)
def test_the_language_is_that_of_the_request_then_of_the_browser_then_the_default(
    wished: object, accepted: str, spoken: str
) -> None:
    assert SPEAKER.language(wished, accepted) == spoken


def test_what_is_not_known_is_left_out_of_the_sentence() -> None:
    affinity = Reason("affinity", field="brand")
    assert SPEAKER.say("en", [affinity], Words({"brand": ["Acme"]})) == "Because you like Acme"
    assert SPEAKER.say("en", [affinity], Words({"brand": ["Acme", "Bolt"]})) == "Like what you chose before"
    assert SPEAKER.say("en", [affinity], Words({"color": ["red"]})) == "Like what you chose before"
    assert SPEAKER.say("de", [affinity], Words({"brand": ["{query}"]})) == "Weil dir {query} gefällt"
    assert SPEAKER.say("en", [Reason("relevant", query="toys")], Words()) == "Fits your search for “toys”"


def test_what_nobody_would_say_in_a_sentence_is_as_if_it_were_not_known() -> None:
    affinity, without = Reason("affinity", field="brand"), "Like what you chose before"
    for unsayable in ("", " \t", "x" * 101):
        assert SPEAKER.say("en", [affinity], Words({"brand": [unsayable]})) == without
        assert SPEAKER.say("en", [Reason("relevant", query=unsayable)], Words()) == "Fits your search"
    for acme in (["Acme", "Acme"], ["", "Acme"], ["  Acme\n"]):
        assert SPEAKER.say("en", [affinity], Words({"brand": acme})) == "Because you like Acme"


def test_a_reason_without_a_sentence_is_passed_over_for_the_next_and_at_last_for_none() -> None:
    assert SPEAKER.say("en", [Reason("fill"), Reason("new")], Words()) == "New"
    assert SPEAKER.say("de", [Reason("fill")], Words()) == "Für dich empfohlen"
    assert SPEAKER.say("en", [], Words()) == "Recommended for you"


def test_sentences_of_the_declaration_go_before_those_that_come_along_and_add_languages() -> None:
    view = load_view(
        VIEW
        + """
explanations:
  language: fr
  reasons: {price: {low: cheap}}
  sentences:
    en: {popular: "Loved by all", cheap: "A small price"}
    FR: {otherwise: "Pour vous", affinity: ["Car vous aimez {value}", "Selon vos goûts"]}
"""
    )
    speaker = Speaker(view.explanations)
    assert speaker.language() == "fr"
    assert speaker.say("en", [Reason("popular")], Words()) == "Loved by all"
    assert speaker.say("en", [Reason("cheap")], Words()) == "A small price"
    assert speaker.say("en", [Reason("new")], Words()) == "New"
    assert speaker.say("fr", [Reason("popular")], Words()) == "Pour vous"
    assert load_view(VIEW).id == view.id


def test_a_language_of_a_country_says_what_it_does_not_say_itself_as_the_language_does() -> None:
    section = "explanations: {sentences: {de-ch: {new: Nöi, otherwise: Für dich}, de: {popular: Beliebt}}}"
    speaker = Speaker(load_view(VIEW + section).explanations)
    said = [
        speaker.say("de-ch", [Reason(reason)], Words()) for reason in ("new", "popular", "trending", "fill")
    ]
    assert said == ["Nöi", "Beliebt", "Im Kommen", "Für dich"]
    assert speaker.say("de", [Reason("new")], Words()) == "Neu"


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("explanations: {language: fr}", "line 7: `explanations.language` is 'fr', which there are no sentences in"),
        ("explanations: {sentences: {en: {popula: x}}}", "did you mean `popular`?"),
        ("explanations: {sentences: {en: {popular: 'For {user}'}}}", "can have {value}, {query}, {item} in it"),
        ("explanations: {sentences: {en: {popular: 'For {value!r:>5}'}}}", "nothing else in braces"),
        ("explanations: {sentences: {en: {popular: 'For {value.x}'}}}", "nothing else in braces"),
        ("explanations: {sentences: {en: {popular: 'For {'}}}", "nothing else in braces"),
        ("explanations: {sentences: {en: {popular: ''}}}", "a sentence of at most 500 characters"),
        ("explanations: {sentences: {en: {popular: []}}}", "is empty: name at least one"),
        ("explanations: {sentences: {fr: {popular: x}}}", "`explanations.sentences.fr.otherwise` is missing"),
        ("explanations: {sentences: {fr: {otherwise: 'As {value}'}}}", "its last sentence must need nothing"),
        ("explanations: {sentences: {french!: {otherwise: x}}}", "a language is expected, as `fr`"),
        ("explanations: {reasons: {prize: {low: cheap}}}", "the view has no feature 'prize'"),
        ("explanations: {reasons: {price: {lower: cheap}}}", "did you mean `low`?"),
        ("explanations: {reasons: {price: {low: 'Cheap!'}}}", "small letters, digits and `_` are expected"),
        ("explanations: {reasons: {price: cheap}}", "`key: value` lines are expected"),
        ("explanations: {called: [title, title]}", "names of item fields, each once, are expected, as [title]"),
        ("explanations: {words: {}}", "`explanations.words` is unknown"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_remedy(section: str, told: str) -> None:
    assert told in problems(section)
