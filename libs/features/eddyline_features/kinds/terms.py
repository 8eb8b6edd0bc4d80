"""Texts to terms: words, with or without their endings, or n-grams; each as a 53-bit identity.

Total, and equal in every process: case and forms of letters are folded by Python's own Unicode tables.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eddyline_features.identities import identity
from eddyline_features.yaml_reader import Problem, ViewError

MAX_CHARS = 4_096
"""Of a longer text, only the beginning is looked at."""
_WORD = re.compile(r"\w{1,64}")
"""A longer word counts as several: what is remembered stays small, whatever is sent."""
_CACHED = 65_536


def text_of(value: Any) -> str | None:
    """A text, or the texts of a list one after another; None where there is none."""
    if isinstance(value, list):
        members = [member for member in value if isinstance(member, str)]
        if not members and value:
            return None
        value = " ".join(members)
    if not isinstance(value, str):
        return None
    value = value[:MAX_CHARS]
    return value.lower() if value.isascii() else unicodedata.normalize("NFKC", value).casefold()


def stemmer(language: str) -> Callable[[str], str]:
    """What takes the endings off the words of a language (the Snowball stemmers, in their pure form).

    Raises
    ------
    ViewError
        If the package that has them is not installed.
    """
    try:
        module = importlib.import_module(f"snowballstemmer.{language}_stemmer")
    except ImportError as error:
        told = (
            f"`language: {language}` of a field_match needs the package snowballstemmer: install the same version of "
            "it for feature-store and trainer, or leave `language` out"
        )
        raise ViewError([Problem(1, told)]) from error
    stem: Callable[[str], str] = getattr(module, f"{language.capitalize()}Stemmer")().stemWord
    return stem


class Analyser:
    """From a JSON value to the identities of its terms, in their order and as often as they are there."""

    def __init__(self, n: int, language: str) -> None:
        """``n``: characters of an n-gram; 0 for words."""
        self._n = n
        stem = stemmer(language) if language else str

        @lru_cache(_CACHED)
        def known_as(term: str) -> int:
            return identity(stem(term))

        self._known_as = known_as

    def terms(self, value: Any) -> list[int] | None:
        """None where there is no text; none at all where it has no words."""
        text = text_of(value)
        if text is None:
            return None
        words = _WORD.findall(text)
        if self._n and words:
            # A space at both ends, so that the beginnings of words weigh more, and every word has an n-gram.
            padded = f" {' '.join(words)} "
            words = [padded[at : at + self._n] for at in range(max(1, len(padded) - self._n + 1))]
        return list(map(self._known_as, words))
