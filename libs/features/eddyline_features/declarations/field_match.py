"""Field match: how well what a person asks for fits a text of the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_item_field, read_path, read_ttl
from eddyline_features.declarations.paths import CONTEXT, ITEM, FieldPath
from eddyline_features.yaml_reader import Section

MATCHES = ("term", "ngram", "bm25")
LANGUAGES = (
    "arabic", "armenian", "basque", "catalan", "czech", "danish", "dutch", "english", "estonian", "finnish", "french",
    "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "norwegian", "polish",
    "portuguese", "romanian", "russian", "spanish", "swedish", "tamil", "turkish",
)  # fmt: skip
_ONLY_FOR = {"n": "ngram", "k1": "bm25", "b": "bm25", "vocabulary": "bm25"}


@dataclass(frozen=True, kw_only=True)
class FieldMatch:
    """How well a text of the request (a query) fits a text of the item: by words, by n-grams, or by BM25."""

    name: str
    query: str
    """A field of the context."""
    field: str
    """A field of the item."""
    by: str
    """``term``, ``ngram`` or ``bm25``."""
    n: int
    """Characters of an n-gram."""
    language: str
    """Whose endings are taken off words; empty leaves words as they are."""
    max_terms: int
    """So many different words (or n-grams) are kept of an item."""
    k1: float
    """How soon more of the same word counts no more."""
    b: float
    """How much a longer text counts less: 0 not at all, 1 in proportion."""
    vocabulary: int
    """Different words that are told apart when it is counted how many items have each."""
    ttl_ms: int
    """How long a text is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _field_match(section: Section, name: str, actions: Sequence[str]) -> FieldMatch:
    by = section.choice("by", MATCHES, default="term") or ""
    for key, kind in _ONLY_FOR.items():
        if by in MATCHES and by != kind and section.has(key):
            section.problems.add(
                section.line_of(key),
                f"`{section.at(key)}` is for `by: {kind}`: use it there, or leave it out",
            )
    field = read_item_field(section, section.word("field", example="item.title"), "field")
    language = ""
    if section.has("language"):
        language = section.choice("language", LANGUAGES) or ""
        if by == "ngram":
            section.problems.add(
                section.line_of("language"),
                f"`{section.at('language')}`: n-grams find word forms by themselves; leave it out, or use by: term",
            )
    return FieldMatch(
        name=name,
        query=_read_query(section),
        field=field,
        by=by,
        n=section.integer("n", 3, 2, 5),
        language=language,
        max_terms=section.integer("max_terms", 64 if by == "ngram" else 32, 1, 1_024),
        k1=section.number("k1", 1.2, 0.0, 100.0),
        b=section.number("b", 0.75, 0.0, 1.0),
        vocabulary=section.integer("vocabulary", 65_536, 1_024, 131_072),
        ttl_ms=read_ttl(section, FieldPath(scope=ITEM, name=field)),
    )


def _read_query(section: Section) -> str:
    if not section.has("query"):
        return "query"
    path = read_path(section, "query")
    if path.name and path.scope != CONTEXT:
        section.problems.add(
            section.line_of("query"),
            f"`{section.at('query')}` is `{path}`; what is asked for is in the request: context.<field>",
        )
    return path.name


READERS: dict[str, Reader] = {"field_match": _field_match}
