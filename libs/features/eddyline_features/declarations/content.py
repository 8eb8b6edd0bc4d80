"""Content similarity: how like the candidate's text is to what this person acted on, or asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_by_person, read_path, read_some_of
from eddyline_features.declarations.paths import CONTEXT
from eddyline_features.yaml_reader import Section

CONTENT_OUTPUTS = ("mean", "last", "best", "query")


@dataclass(frozen=True, kw_only=True)
class ContentSimilarity:
    """Cosine of the vector of the candidate's text with what this person acted on lately, or with what they ask for."""

    name: str
    by: str
    """``user`` or ``session``."""
    actions: tuple[str, ...]
    """That say something about a person; those of a weight below 0 push away."""
    half_life: int
    """ms, of the mean; 0 never decays."""
    last: int
    """So many of the newest actions are looked at by ``best``."""
    query: str
    """The field of the context that holds the text that is asked for."""
    outputs: tuple[str, ...]

    @property
    def n_acted(self) -> int:
        return self.last if "best" in self.outputs else 0

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


def queries_of(features: Iterable[object]) -> list[str]:
    """Fields of the context that hold texts to be compared, in the order of the features."""
    asking = (f for f in features if isinstance(f, ContentSimilarity) and "query" in f.outputs)
    return list(dict.fromkeys(feature.query for feature in asking))


def _content_similarity(section: Section, name: str, actions: Sequence[str]) -> ContentSimilarity:
    outputs = read_some_of(section, "outputs", CONTENT_OUTPUTS, ("mean", "last", "best"))
    for key, output in (("half_life", "mean"), ("last", "best")):
        if output not in outputs and section.has(key):
            section.problems.add(
                section.line_of(key),
                f"`{section.at(key)}` is for the output `{output}`: add that to `outputs`, or leave it out",
            )
    return ContentSimilarity(
        name=name,
        by=read_by_person(section),
        actions=read_actions(section, "actions", actions),
        half_life=_read_half_life(section),
        last=section.integer("last", 10, 1, 100),
        query=_read_query(section),
        outputs=outputs,
    )


def _read_half_life(section: Section) -> int:
    node = section.take("half_life")
    if node is None:
        return 0
    return section.as_duration(node, section.at("half_life"), forever=True) or 0


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


READERS: dict[str, Reader] = {"content_similarity": _content_similarity}
