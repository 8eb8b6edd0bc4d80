"""What the log says of items' texts, and which of them an encoder has still to read.

A function of the log: whoever follows it from the beginning knows the same. As in the fold, the encoder of the newest
``item_embedded`` event is the one whose vectors count; with the first event of another, nothing of the one before does,
and nothing will again when that one comes back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from eddyline_contracts.events import Event, ItemEmbedded, ItemUpserted
from eddyline_encoding.texts import digest_of, part_of, text_of_parts


class Read(NamedTuple):
    """What was read of an item."""

    event: str
    """Id of the event that says so."""
    text: str
    """sha256, in hex; empty where it said nothing."""
    turn: int
    """In which turn of encoders."""


class Unread(NamedTuple):
    """A text to be read."""

    item: str
    text: str
    """Empty where an item that said something says nothing any more: that is to be logged, too."""
    digest: str
    """Of the text; empty as it is."""
    replaces: str
    """Id of the event that says what was read of the item before; of the item's own event where nothing was."""


class _Item:
    __slots__ = ("digest", "parts", "read", "removed", "told_by")

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        """What each field says."""
        self.removed = False
        self.told_by = ""
        """Id of the event by which it says what it says, while nothing has been read of it."""
        self.digest = ""
        """Of the text; empty where there is none."""
        self.read: Read | None = None


class Shelf:
    """Texts of items, at most ``limit`` of them: beyond, the one that was changed longest ago is forgotten."""

    def __init__(self, fields: Sequence[str], limit: int) -> None:
        self.fields = tuple(fields)
        self.limit = limit
        self.encoder = ""
        """The one whose vectors count."""
        self._turn = 0
        """Goes up each time that another encoder's begin to count, and those before are lost."""
        self.on_text: Callable[[str], None] | None = None
        """Told the first text of each item, in the order of the log."""
        self._items: OrderedDict[str, _Item] = OrderedDict()
        self._unread: OrderedDict[str, None] = OrderedDict()
        """For `_reader`: the newest last."""
        self._reader = ""

    def __len__(self) -> int:
        return len(self._items)

    def apply(self, event_id: str, event: Event) -> None:
        """Move on by one event of the log; most are none of its business."""
        if isinstance(event, ItemUpserted):
            self._text(event_id, event)
        elif isinstance(event, ItemEmbedded):
            self._embedding(event_id, event)

    def _text(self, event_id: str, event: ItemUpserted) -> None:
        item = self._items.get(event.item)
        if event.removed:
            if item is not None:
                # It is told what it is once more when it comes back; until then nobody looks for it.
                item.parts.clear()
                item.digest, item.removed = "", True
                self._unread.pop(event.item, None)
            return
        told = {name: part_of(event.fields[name]) for name in self.fields if name in event.fields}
        if not told and item is not None and not item.removed:
            return
        if item is None:
            item = self._items[event.item] = _Item()
            if len(self._items) > self.limit:
                gone, _ = self._items.popitem(last=False)
                self._unread.pop(gone, None)
        came_back, item.removed = item.removed, False
        item.parts.update(told)
        text = text_of_parts(item.parts, self.fields)
        digest = digest_of(text) if text else ""
        if digest == item.digest and not came_back:
            return
        if text and not item.digest and item.read is None and self.on_text is not None:
            self.on_text(text)
        item.digest = digest
        if item.read is None:
            item.told_by = event_id
        self._items.move_to_end(event.item)
        self._look(event.item, item)

    def _embedding(self, event_id: str, event: ItemEmbedded) -> None:
        if event.encoder != self.encoder:
            self.encoder = event.encoder
            self._turn += 1
            self._look_at_all()
        item = self._items.get(event.item)
        if item is not None:
            item.read, item.told_by = Read(event_id, event.text, self._turn), ""
            self._look(event.item, item)

    def _is_done(self, item: _Item) -> bool:
        """Whether what counts is what it says now, or nobody wants to know."""
        if item.removed:
            return True
        said = "" if item.read is None or item.read.turn != self._turn else item.read.text
        return said == item.digest and (not said or self.encoder == self._reader)

    def _look_at_all(self) -> None:
        self._unread = OrderedDict(
            (name, None) for name, item in self._items.items() if not self._is_done(item)
        )

    def _look(self, name: str, item: _Item) -> None:
        if self._is_done(item):
            self._unread.pop(name, None)
        else:
            self._unread[name] = None
            self._unread.move_to_end(name)

    def read_by(self, encoder: str) -> None:
        """From now on, what this encoder has not read is unread."""
        if encoder == self._reader:
            return
        self._reader = encoder
        self._look_at_all()

    @property
    def n_unread(self) -> int:
        """Texts that are to be read."""
        return len(self._unread)

    def unread(self) -> Iterator[Unread]:
        """What is to be read, the newest text first."""
        for name in reversed(self._unread):
            item = self._items[name]
            replaces = item.told_by if item.read is None else item.read.event
            yield Unread(name, text_of_parts(item.parts, self.fields), item.digest, replaces)
