"""The section ``explanations`` of eddyline.yaml: sentences that say why an item is shown, by language and reason.

None of it shapes state, vectors or models, so it may change at any time. Sentences of some languages come along, in
files of the same form (`eddyline_features.languages`); what is declared goes before them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter

from yaml.nodes import Node, ScalarNode

from eddyline_features.recommend_settings import AFFINITY, BESIDE, CONTENT, NEW, ONLINE, POPULAR
from eddyline_features.yaml_reader import Problems, Section, compose

AGAIN, RELEVANT, TRENDING, OTHERWISE = "again", "relevant", "trending", "otherwise"
REASONS = (BESIDE, ONLINE, AFFINITY, POPULAR, NEW, CONTENT, TRENDING, RELEVANT, AGAIN, OTHERWISE)
"""Those that sentences come along for; the first ones are sources of retrieval, too."""
VALUE, QUERY, ITEM = "value", "query", "item"
PLACEHOLDERS = (VALUE, QUERY, ITEM)
CALLED = ("title", "name", "headline")
LOW, HIGH = "low", "high"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,49}")
MAX_CHARS = 500

Sentences = Mapping[str, tuple[str, ...]]
"""By reason, the one that is best when its placeholders can be filled first."""


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """Why an item is shown, in words for who sees it."""

    language: str = "en"
    """Spoken where a request names no language that there are sentences in."""
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What features of yours say, as ``price: {low: cheap}``: the feature, where its value lies, and a word of yours
    that `sentences` has sentences for."""
    sentences: Mapping[str, Sentences] = field(default_factory=dict)
    """By language, as ``fr``, and reason: a sentence, or several of which the first whose ``{value}``, ``{query}`` and
    ``{item}`` are known is said. ``otherwise`` is said where there is no reason."""
    called: tuple[str, ...] = CALLED
    """Item fields that say what an item is called, for ``{item}``: the first that is kept (`recommend.fields`)."""


NO_EXPLANATIONS = Explanations()


def read_explanations(root: Section, features: Mapping[str, object]) -> Explanations:
    """Read the section; what it does not name has its default. ``features`` has the names of the view's."""
    section = root.section("explanations")
    if section is None:
        return NO_EXPLANATIONS
    called = _read_called(section) if section.has("called") else CALLED
    language = section.word("language", default=NO_EXPLANATIONS.language, example="en") or ""
    reasons = _read_reasons(section, features)
    sentences = _read_languages(section, {word for sides in reasons.values() for word in sides.values()})
    known = [*sentences, *(name for name in SHIPPED if name not in sentences)]
    if language.lower() not in known:
        section.problems.add(
            section.line_of("language"),
            f"`explanations.language` is {language[:40]!r}, which there are no sentences in: "
            f"use one of {', '.join(known)}, or add it to `sentences`",
        )
    section.close()
    return Explanations(language=language.lower(), reasons=reasons, sentences=sentences, called=called)


def _read_called(section: Section) -> tuple[str, ...]:
    found: list[str] = []
    for node in section.members("called"):
        name = node.value.removeprefix("item.") if isinstance(node.value, str) else ""
        if not name or name in found:
            section.problems.add(
                node, "`explanations.called`: names of item fields, each once, are expected, as [title]"
            )
        else:
            found.append(name)
    return tuple(found)


SHIPPED = ("en", "de")
"""Languages that come along."""


def read_language(text: str) -> Sentences:
    """Sentences of one language from a file of its own.

    Raises
    ------
    ViewError
        With every problem at once.
    """
    problems = Problems()
    sentences = _read_sentences(Section(compose(text), "", problems), REASONS, whole=True)
    problems.raise_if_any()
    return sentences


def _read_reasons(section: Section, features: Mapping[str, object]) -> dict[str, dict[str, str]]:
    inner = section.section("reasons")
    found: dict[str, dict[str, str]] = {}
    if inner is None:
        return found
    names = inner.keys()
    for name in names:
        sides = inner.section(name)
        assert sides is not None
        if name not in features:
            inner.problems.add(
                inner.line_of(name),
                f"`{inner.at(name)}`: the view has no feature {name[:60]!r}: name one of it",
            )
        found[name] = {}
        for side in (LOW, HIGH):
            word = sides.word(side, default="", example="cheap") if sides.has(side) else ""
            if word and _WORD.fullmatch(word):
                found[name][side] = word
            elif word:
                sides.problems.add(
                    sides.line_of(side),
                    f"`{sides.at(side)}`: small letters, digits and `_` are expected, as `cheap`",
                )
        sides.close()
    return found


def _read_languages(section: Section, own: set[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    inner = section.section("sentences")
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    if inner is None:
        return found
    names = inner.keys()
    for name in names:
        language = name.lower()
        if not _LANGUAGE.fullmatch(language):
            inner.problems.add(
                inner.line_of(name), f"`{inner.at(name)}`: a language is expected, as `fr` or `pt-br`"
            )
        of_language = inner.section(name)
        assert of_language is not None
        found[language] = _read_sentences(
            of_language, (*REASONS, *sorted(own)), whole=language not in SHIPPED
        )
    return found


def _read_sentences(section: Section, reasons: tuple[str, ...], *, whole: bool) -> dict[str, tuple[str, ...]]:
    if whole:
        section.need(OTHERWISE, "Recommended for you")
    found = {}
    for reason in reasons:
        if section.has(reason):
            found[reason] = tuple(
                text
                for node in section.members(reason)
                if (text := _sentence(section, node, section.at(reason))) is not None
            )
    said = found.get(OTHERWISE)
    if said and all(_placeholders(text) for text in said):
        section.problems.add(
            section.line_of(OTHERWISE), f"`{section.at(OTHERWISE)}`: its last sentence must need nothing"
        )
    section.close()
    return found


def _sentence(section: Section, node: Node, path: str) -> str | None:
    text = node.value if isinstance(node, ScalarNode) else ""
    if not text.strip() or len(text) > MAX_CHARS:
        section.problems.add(
            node, f"`{path}`: a sentence of at most {MAX_CHARS} characters is expected, in quotes"
        )
        return None
    try:
        unknown = [name for name in _placeholders(text) if name not in PLACEHOLDERS]
    except ValueError:
        unknown = ["{"]
    if unknown:
        told = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        section.problems.add(
            node, f"`{path}`: {text[:60]!r} can have {told} in it, and nothing else in braces"
        )
        return None
    return text


def _placeholders(text: str) -> list[str]:
    """Names in braces; what is no plain name is shown as it stands.

    Raises
    ------
    ValueError
        If a brace is not closed.
    """
    return [
        name + ("!" + how if how else "") + (":" + form if form else "")
        for _, name, form, how in Formatter().parse(text)
        if name is not None
    ]
