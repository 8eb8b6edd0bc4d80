"""Slates for a history that has none: before somebody meets an item for the first time, what would have been proposed.

A slate is written just before the interaction and holds nothing that came with or after it, but in the part that is
trained on the item itself where retrieval has missed it: a slate without a click teaches nothing. In the part that is
scored it is not put in, so that a miss stays one.
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
    """Slates before `scored_from`."""
    n_added: int = 0
    """Of those, how many got their item although it was not among the candidates."""
    n_scored: int = 0
    n_found: int = 0
    """Of the scored ones, how many have their item: no order can hit more."""


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
        From when on there are slates, and from when on they are for scoring; ms since the Unix epoch.
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
                    written.n_trained += 1
                    written.n_added += not found
                    if not found:
                        candidates.append(item)
                        found = True
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
