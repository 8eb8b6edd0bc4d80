"""Metarank's extractors that read fields to ours: numbers and words as they are, times, agents, referers and texts."""

from __future__ import annotations

from collections.abc import Callable

from eddyline_cli.migrating.metarank_paths import (
    Raw,
    Unmappable,
    each_path,
    field_paths,
    lifetime,
    request_path,
)
from eddyline_cli.migrating.metarank_text import number, word, words
from eddyline_features.declarations.field_match import LANGUAGES
from eddyline_features.declarations.fields import MAX_CODES, MAX_ONE_HOT
from eddyline_features.declarations.local_time import LOCAL_TIME_OUTPUTS
from eddyline_features.declarations.user_agent import AGENT_OUTPUTS
from eddyline_features.declarations.vector import MAX_MEMBERS, REDUCERS, members_of
from eddyline_features.yaml_writer import flow_list
from eddyline_features.yaml_writer import word as quoted

_ENCODERS = ("bi-encoder", "transformer")
"""Names that its releases gave to the same method."""
_SIMILARITY = "send the similarity with each item (`field: slate.<name>`)"


def _number(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return each_path(raw, name, {"kind": "number"})


def _boolean(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return each_path(raw, name, {"kind": "boolean"})


def _word_count(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return each_path(raw, name, {"kind": "word_count"})


def _relevancy(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return [{"name": name, "kind": "relevancy"}], ""


def _random(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return [{"name": name, "kind": "random"}], ""


def _string(raw: Raw, name: str) -> tuple[list[Raw], str]:
    values = words(raw, "values")
    members = {"kind": "categories"}
    if word(raw, "encode").replace("-", "") == "onehot" and 0 < len(values) <= MAX_ONE_HOT:
        members |= {"encode": "one-hot", "values": "[" + ", ".join(map(quoted, values)) + "]"}
        return each_path(raw, name, members)
    if 0 < len(values) <= MAX_CODES:
        members |= {"values": "[" + ", ".join(map(quoted, values)) + "]"}
    note = "codes count from 0, and what has none is unknown (Metarank: from 1, and 0)"
    return each_path(raw, name, members, note)


_REDUCERS = {"avg": "mean", "euclidean_distance": "euclidean", "euclideanDistance": "euclidean"}


def _vector(raw: Raw, name: str) -> tuple[list[Raw], str]:
    reduce: list[str] = []
    longest = 0
    for told in words(raw, "reduce"):
        how = _REDUCERS.get(told, told)
        if how not in REDUCERS and not members_of(how):
            raise Unmappable(f"{told!r} is no reducer that is known here")
        longest = max(longest, members_of(how))
        if how in REDUCERS and how not in reduce:
            reduce.append(how)
    note = "of an empty list, least, mean and so on are unknown (Metarank: 0)"
    if longest:
        reduce.append(f"vector{min(longest, MAX_MEMBERS)}")
        note = "what a list is short of is unknown (Metarank: 0)"
    return each_path(raw, name, {"kind": "vector", **({"reduce": flow_list(reduce)} if reduce else {})}, note)


def _local_time(raw: Raw, name: str) -> tuple[list[Raw], str]:
    parse = word(raw, "parse")
    if parse not in LOCAL_TIME_OUTPUTS:
        raise Unmappable(f"`parse` is {parse!r}: write one of {', '.join(LOCAL_TIME_OUTPUTS)}")
    feature: Raw = {"name": name, "kind": "local_time", "outputs": parse}
    if word(raw, "source", "field") in ("ranking.timestamp", "timestamp"):
        return [feature], 'by the clock of UTC: add an offset, as `offset: "+01:00"`, for yours'
    path = request_path(raw, "source", "field")
    if not path.startswith("context."):
        raise Unmappable("the time of a person is a field of the ranking: `source: ranking.<field>`")
    return [{**feature, "field": quoted(path)}], ""


def _user_agent(raw: Raw, name: str) -> tuple[list[Raw], str]:
    output = word(raw, "field", default="platform")
    if output not in AGENT_OUTPUTS:
        raise Unmappable(f"`field` is {output!r}: write one of {', '.join(AGENT_OUTPUTS)}")
    path = request_path(raw, "source")
    feature = {
        "name": name,
        "kind": "user_agent",
        "field": quoted(path),
        "outputs": output,
        "encode": "one-hot",
    }
    return [feature], "by a table of our own: rare browsers and systems are `other`"


def _referer(raw: Raw, name: str) -> tuple[list[Raw], str]:
    path = request_path(raw, "source", "field")
    feature = {"name": name, "kind": "referer", "field": quoted(path), "encode": "one-hot"}
    return [feature], (
        "of this request alone (Metarank: of all that the visitor had), by a table of our own; name your hosts, as "
        "`internal: [shop.example]`"
    )


_LANGUAGES = {
    "en": "english", "cz": "czech", "da": "danish", "nl": "dutch", "et": "estonian", "fi": "finnish", "fr": "french",
    "de": "german", "gr": "greek", "it": "italian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "es": "spanish", "sv": "swedish", "tr": "turkish", "ar": "arabic", "lt": "lithuanian", "ru": "russian",
}  # fmt: skip
"""Metarank's short names."""


def _field_match(raw: Raw, name: str) -> tuple[list[Raw], str]:
    method = raw.get("method")
    by = word(method, "type")
    if by in _ENCODERS:
        return _matched_by_content(raw, name)
    if by not in ("term", "ngram", "bm25"):
        raise Unmappable(f"the method {by!r} is not there: {_SIMILARITY}")
    query, item = _query_and_item(raw)
    feature: Raw = {
        "name": name,
        "kind": "field_match",
        "query": quoted(query),
        "field": quoted(item),
        "by": by,
    }
    language = word(method, "language", default="generic").lower()
    language = _LANGUAGES.get(language, language)
    note = "an item's first 32 different words count"
    if language in LANGUAGES and by != "ngram":
        feature["language"] = language
        note += ", stemmed; none are left out as too common"
    elif language != "generic":
        note += f"; words are taken as they are: {language!r} has no stemmer here"
    if by == "ngram":
        n = number(word(method, "n")) or 3.0
        feature["n"] = str(int(min(max(n, 2.0), 5.0)))
        note = "over the whole text, its words neither stemmed nor left out"
    elif by == "term":
        note = f"the share of the query's words (Metarank: of the words of both); {note}"
    else:
        note = f"frequencies are counted from your items, without a file; {note}"
    return [{**feature, **lifetime(raw, item)}], note


def _matched_by_content(raw: Raw, name: str) -> tuple[list[Raw], str]:
    query, item = _query_and_item(raw)
    feature = {"name": name, "kind": "content_similarity", "query": quoted(query), "outputs": "query"}
    note = (
        f"by what `content.fields` of an item say together, not {item.partition('.')[2]} alone; EDDYLINE_ENCODER says "
        "which encoder reads them, each item once"
    )
    return [feature], note


def matched_by_content(raw: Raw) -> list[str]:
    """The item field that this extractor matches by an encoder, or none."""
    if word(raw, "type") != "field_match" or word(raw.get("method"), "type") not in _ENCODERS:
        return []
    try:
        return [_query_and_item(raw)[1].partition(".")[2]]
    except Unmappable:
        return []


def _query_and_item(raw: Raw) -> tuple[str, str]:
    query, item = field_paths(raw, "rankingField")[0], field_paths(raw, "itemField")[0]
    if not query.startswith("context.") or not item.startswith("item."):
        raise Unmappable(
            "a field of the ranking and one of the item are matched: ranking.<field>, item.<field>"
        )
    return query, item


FIELD_READERS: dict[str, Callable[[Raw, str], tuple[list[Raw], str]]] = {
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "vector": _vector,
    "word_count": _word_count,
    "relevancy": _relevancy,
    "random": _random,
    "local_time": _local_time,
    "ua": _user_agent,
    "referer": _referer,
    "referer_medium": _referer,
    "field_match": _field_match,
}
