"""The sentence that tells a person why an item is shown: in their language, and no more than what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eddyline_features.explanation_settings import ITEM, OTHERWISE, QUERY, VALUE, Explanations
from eddyline_features.languages import shipped

_MAX_SAID = 100
"""Characters of what stands in a sentence."""
_MAX_ASKED = 20
"""Languages that are looked at in one header."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of an item that can stand in a sentence about it."""

    values: Mapping[str, list[str]] = field(default_factory=dict)
    """By item field."""
    items: Mapping[str, str] = field(default_factory=dict)
    """What the item is called that was chosen before and led to this one, by reason."""
    is_new: bool = True
    """Whether it came lately; also where that is not known."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item may be shown."""

    word: str
    """As sentences are declared for it."""
    field: str | None = None
    """Item field whose value it is about."""
    query: str | None = None
    """Text of the request that it is about."""


class Speaker:
    """All languages that there are sentences in."""

    def __init__(self, settings: Explanations) -> None:
        self._default = settings.language
        own = settings.sentences
        # What is declared for `de-ch` goes before what there is for `de`, and that before nothing.
        self._sentences = {
            language: {
                reason: sentences
                for wide in reversed(_wider(language))
                for reason, sentences in {**shipped().get(wide, {}), **own.get(wide, {})}.items()
            }
            for language in [*shipped(), *own]
        }

    def language(self, wished: object = None, accepted: str = "") -> str:
        """The one to speak.

        Parameters
        ----------
        wished
            What the request's context names as ``language``; anything that is no language is passed over.
        accepted
            As a browser's ``Accept-Language``.
        """
        asked = [wished.lower()] if isinstance(wished, str) else []
        for tag in [*asked, *_by_preference(accepted)]:
            for language in _wider(tag):
                if language in self._sentences:
                    return language
        return self._default

    def say(self, language: str, reasons: Iterable[Reason], words: Words) -> str:
        """The best sentence for the first reason that has one."""
        sentences = self._sentences[language]
        for reason in [*reasons, Reason(OTHERWISE)]:
            known = _placeholders(reason, words)
            for sentence in sentences.get(reason.word, ()):
                try:
                    return sentence.format_map(known)
                except KeyError:
                    continue
        return ""


def _placeholders(reason: Reason, words: Words) -> dict[str, str]:
    told = {
        VALUE: [] if reason.field is None else words.values.get(reason.field, []),
        QUERY: [] if reason.query is None else [reason.query],
        ITEM: [words.items[reason.word]] if reason.word in words.items else [],
    }
    return {name: said for name, texts in told.items() if (said := sayable(texts)) is not None}


def sayable(texts: Iterable[str]) -> str | None:
    """The only text of several, on one line; none where there is none, or one that no sentence has room for."""
    # Of several nobody knows which it was.
    found = {" ".join(text.split()) for text in texts} - {""}
    said = found.pop() if len(found) == 1 else ""
    return said if 0 < len(said) <= _MAX_SAID else None


def _by_preference(accepted: str) -> list[str]:
    found = []
    for part in accepted.split(",")[:_MAX_ASKED]:
        tag, _, told = part.strip().partition(";")
        weight = 1.0
        if told:
            try:
                weight = float(told.strip().removeprefix("q="))
            except ValueError:
                continue
        # 0 means that it is not wanted.
        if 0.0 < weight <= 1.0:
            found.append((tag.strip().lower(), weight))
    return [tag for tag, _ in sorted(found, key=lambda of: -of[1])]


def _wider(tag: str) -> list[str]:
    """The language as asked for, and without each of its closer words: ``pt-br``, ``pt``."""
    parts = tag.split("-")[:4]
    return ["-".join(parts[:n]) for n in range(len(parts), 0, -1)]


def texts_of(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Texts among the values of an item's fields."""
    found = {}
    for name, value in fields.items():
        texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        if texts:
            found[name] = texts
    return found
