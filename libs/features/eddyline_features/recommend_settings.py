"""The section ``recommend`` of eddyline.yaml: how a slate is chosen from the whole catalogue.

Of these, ``fields``, ``half_lives``, ``remembered`` and whether ``seen`` is ``shown`` shape the state (see
`Recommend.shape`); the rest may change at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eddyline_features.yaml_reader import Section

BESIDE, ONLINE, AFFINITY, POPULAR, NEW, CONTENT = (
    "co_visitation",
    "online",
    "affinity",
    "popular",
    "new",
    "content",
)
SOURCES = (BESIDE, ONLINE, AFFINITY, POPULAR, NEW, CONTENT)
"""Where candidates come from; whatever is still missing is filled up by popularity, as `FILL`."""
FILL = "fill"
ACTED, SHOWN, NOTHING = "acted", "shown", "nothing"
SEEN = (ACTED, SHOWN, NOTHING)
_SHARES = {BESIDE: 0.3, ONLINE: 0.2, AFFINITY: 0.1, POPULAR: 0.2, NEW: 0.1, CONTENT: 0.1}


@dataclass(frozen=True, kw_only=True)
class Recommend:
    """What ``/v1/recommend`` chooses from, and how. Without the section it answers that it is missing."""

    candidates: int = 300
    """Found for each request, at most; the model orders them."""
    sources: Mapping[str, float] = field(default_factory=lambda: dict(_SHARES))
    """Share of the candidates by source; one that is not named gives none, and what a source lacks the others give."""
    fields: tuple[str, ...] = ()
    """Item fields that filters, caps and diversity may name, beside those that features read; those of ``caps`` are
    among them."""
    half_lives_ms: tuple[int, ...] = ()
    """Of recent popularity."""
    seen: str = ACTED
    """What is not shown again: what the person ``acted`` on, also what was ``shown``, or ``nothing``."""
    remembered: int = 1_000
    """Items that each person has seen, the newest so many of them, are kept for ``seen``."""
    caps: Mapping[str, int] = field(default_factory=dict)
    """At most so many items of a slate with the same value of a field, as ``{brand: 2}``."""
    diversity: float = 0.0
    """0: by score alone; 1: as unlike each other as can be."""
    diversity_by: tuple[str, ...] = ()
    """Item fields that items like each other share, of ``fields``; without it those of them that are no numbers."""

    def shape(self) -> dict[str, Any]:
        """What decides about the state."""
        return {
            "fields": self.fields,
            "half_lives": self.half_lives_ms,
            "remembered": self.remembered,
            "shown": self.seen == SHOWN,
        }


_WEEK_MS = 7 * 86_400_000
_TIMES = ((1, 12), (1, 1), (24, 1))
_LEAST_MS, _MOST_MS = 60_000, 10 * 365 * 86_400_000


def half_lives_of(recommend: Recommend, prior_ms: int) -> tuple[int, ...]:
    """Of recent popularity, in ms, the shortest first; ``prior_ms``: half-life of the view's prior, 0 is none."""
    if recommend.half_lives_ms:
        return recommend.half_lives_ms
    usual = prior_ms or _WEEK_MS
    return tuple(sorted({min(max(usual * times // over, _LEAST_MS), _MOST_MS) for times, over in _TIMES}))


def read_recommend(root: Section) -> Recommend | None:
    """Read the section; None where there is none."""
    section = root.section("recommend")
    if section is None:
        return None
    default = Recommend()
    fields, caps = _read_names(section, "fields"), _read_caps(section)
    fields = (*fields, *(name for name in caps if name not in fields))
    recommend = Recommend(
        candidates=section.integer("candidates", default.candidates, 1, 1_000),
        sources=_read_sources(section),
        fields=fields,
        half_lives_ms=_read_half_lives(section),
        seen=section.choice("seen", SEEN, default=default.seen) or default.seen,
        remembered=section.integer("remembered", default.remembered, 0, 100_000),
        caps=caps,
        diversity=section.number("diversity", default.diversity, 0.0, 1.0),
        diversity_by=_read_diversity_by(section, fields),
    )
    section.close()
    return recommend


def _read_sources(section: Section) -> dict[str, float]:
    inner = section.section("sources")
    if inner is None:
        return dict(_SHARES)
    shares = {name: inner.number(name, 0.0, 0.0, 1.0) for name in SOURCES if inner.has(name)}
    inner.close()
    if not any(shares.values()):
        section.problems.add(
            section.line_of("sources"), f"`recommend.sources`: give a share to one of {', '.join(SOURCES)}"
        )
    return shares


def _read_names(section: Section, key: str) -> tuple[str, ...]:
    found = []
    for node in section.members(key):
        name = node.value if isinstance(node.value, str) else ""
        name = name.removeprefix("item.")
        if not name or name in found:
            section.problems.add(
                node, f"`recommend.{key}`: names of item fields, each once, are expected, as [brand, price]"
            )
        else:
            found.append(name)
    return tuple(found)


def _read_diversity_by(section: Section, fields: tuple[str, ...]) -> tuple[str, ...]:
    names = _read_names(section, "diversity_by")
    for name in names:
        if name not in fields:
            section.problems.add(
                section.line_of("diversity_by"),
                f"`recommend.diversity_by`: `{name[:60]}` is not among `recommend.fields`: add it there",
            )
    return names


def _read_half_lives(section: Section) -> tuple[int, ...]:
    found = {
        length
        for node in section.members("half_lives")
        if (length := section.as_duration(node, section.at("half_lives"))) is not None
    }
    return tuple(sorted(found))


def _read_caps(section: Section) -> dict[str, int]:
    inner = section.section("caps")
    if inner is None:
        return {}
    names = inner.keys()
    caps = {name: inner.integer(name, 1, 1, 1_000) for name in names}
    inner.close()
    return caps
