"""What each person acted on lately, and at all: the part of retrieval that is always up to date."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Acts:
    """Of one person."""

    recent: list[str] = field(default_factory=list)
    """Different items, the newest first."""
    seen: dict[str, None] = field(default_factory=dict)
    """The same and older ones, the newest last."""


_NOBODY = Acts()


class Own:
    """Acts by person; forgets whoever was longest without one.

    Parameters
    ----------
    people, recent, seen
        At most so many people, and items of each.
    """

    def __init__(self, people: int, *, recent: int = 20, seen: int = 10_000) -> None:
        self._of: OrderedDict[str, Acts] = OrderedDict()
        self._people, self._recent, self._seen = people, recent, seen

    def of(self, person: str) -> Acts:
        """What is known; not to be changed."""
        return self._of.get(person, _NOBODY)

    def add(self, person: str, item: str) -> None:
        """Somebody acted on something."""
        acts = self._of.get(person)
        if acts is None:
            acts = self._of[person] = Acts()
            if len(self._of) > self._people:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(person)
        if item in acts.recent:
            acts.recent.remove(item)
        acts.recent.insert(0, item)
        del acts.recent[self._recent :]
        acts.seen.pop(item, None)
        acts.seen[item] = None
        if len(acts.seen) > self._seen:
            del acts.seen[next(iter(acts.seen))]
