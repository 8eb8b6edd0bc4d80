"""Slates for a history that has none: before somebody meets an item for the first time, what would have been proposed.

A slate is written just before the interaction and holds nothing that came with or after it. Where retrieval has missed
the item, the slate is without it: in what is scored that is a miss, in what is trained on it teaches nothing. (To put
the item in for training is worse than to learn less: it is the one that nobody knows or wants among those that many do,
and always clicked, so a booster learns to look for that.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.ablation.retrieval import Retrieval
from eddyline_contracts.events import InteractionRecorded, SlateItem, SlateServed
from eddyline_contracts.record import Logged

SHORT_MS, LONG_MS = 72 * 60_000, 7 * 86_400_000


@dataclass(frozen=True)
class Act:
    """Somebody did something with an item."""

    at: int
    """ms since the Unix epoch."""
    user: str
    session: str
    item: str
    action: str
    context: Mapping[str, str] = field(default_factory=dict)
    """What was known of the visit."""


@dataclass
class Written:
    """What became of the first meetings."""

    n_trained: int = 0
    """Slates before `scored_from` that have their item."""
    n_scored: int = 0
    """Slates from then on."""
    n_found: int = 0
    """Of those, how many have their item: no order can hit more."""


def with_slates(
    acts: Iterable[Act],
    n_items: int,
    *,
    begins: int,
    scored_from: int,
    every: int,
    written: Written,
    n_candidates: int = 100,
) -> Iterator[Logged]:
    """All acts as a log, and a slate before each ``every``-th first meeting of a person and an item.

    Parameters
    ----------
    acts
        In the order of time.
    begins, scored_from
        From when on there are slates, and from when on they are counted as scored; ms since the Unix epoch.
    written
        Is filled in as the log is read.
    """
    numbers: dict[str, int] = {}
    names: list[str] = []
    retrieval = Retrieval((SHORT_MS, LONG_MS), n_items, n_candidates)
    sequence = n_first = n_slates = 0
    for act in acts:
        known = act.item in numbers
        if not known:
            numbers[act.item] = len(names)
            names.append(act.item)
        item = numbers[act.item]
        slate: str | None = None
        if not retrieval.has_seen(act.user, item):
            n_first += 1
            candidates = retrieval.candidates(act.user) if act.at >= begins and n_first % every == 0 else []
            if candidates:
                n_slates += 1
                sequence += 1
                name = f"pseudo-{n_slates}"
                found = item in candidates
                if act.at >= scored_from:
                    written.n_scored += 1
                    written.n_found += found
                else:
                    written.n_trained += found
                slate = name if found else None
                # By name, which says nothing: the order must not tell where an item was found.
                shown = sorted(names[candidate] for candidate in candidates)
                yield Logged(sequence, name, act.at, act.at, _slate(name, act, shown))
        retrieval.apply(act.user, item, act.at)
        sequence += 1
        yield Logged(sequence, f"act-{sequence}", act.at, act.at, _interaction(f"act-{sequence}", act, slate))


def _slate(name: str, act: Act, items: list[str]) -> SlateServed:
    return SlateServed(
        id=name,
        occurred_at=act.at,
        user=act.user,
        session=act.session,
        items=[SlateItem(item=item) for item in items],
        context=dict(act.context),
    )


def _interaction(name: str, act: Act, slate: str | None) -> InteractionRecorded:
    return InteractionRecorded(
        id=name,
        occurred_at=act.at,
        user=act.user,
        session=act.session,
        item=act.item,
        slate=slate,
        action=act.action,
    )
