"""What the log says of items' texts, and which of them an encoder has still to read.

A function of the log: whoever follows it from the beginning knows the same. As in the fold, the encoder of the newest
``item_embedded`` event is the one whose vectors count; with the first event of another, nothing of the one before does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from eddyline_contracts.events import Event, ItemEmbedded, ItemUpserted
from eddyline_encoding.texts import digest_of, text_of


class Read(NamedTuple):
    """What was read of an item."""

    event: str
    """Id of the event that says so."""
    encoder: str
    text: str
    """sha256, in hex."""


class Unread(NamedTuple):
    """A text to be read."""

    item: str
    text: str
    digest: str
    replaces: str
    """Id of the event that says what was read of the item before; empty where nothing was."""


class _Item:
    __slots__ = ("digest", "fields", "read")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
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
            self._text(event)
        elif isinstance(event, ItemEmbedded):
            self._embedding(event_id, event)

    def _text(self, event: ItemUpserted) -> None:
        item = self._items.get(event.item)
        if event.removed:
            if item is not None:
                # It is told what it is once more when it comes back; until then nobody looks for it.
                item.fields.clear()
                item.digest = ""
                self._unread.pop(event.item, None)
            return
        told = {name: event.fields[name] for name in self.fields if name in event.fields}
        if not told and item is not None:
            return
        if item is None:
            item = self._items[event.item] = _Item()
            if len(self._items) > self.limit:
                gone, _ = self._items.popitem(last=False)
                self._unread.pop(gone, None)
        item.fields.update(told)
        text = text_of(item.fields, self.fields)
        digest = digest_of(text) if text else ""
        if digest == item.digest:
            return
        if not item.digest and item.read is None and self.on_text is not None:
            self.on_text(text)
        item.digest = digest
        self._items.move_to_end(event.item)
        self._look(event.item, item)

    def _embedding(self, event_id: str, event: ItemEmbedded) -> None:
        if event.encoder != self.encoder:
            self.encoder = event.encoder
            if event.encoder != self._reader:
                self._unread = OrderedDict((name, None) for name, item in self._items.items() if item.digest)
        item = self._items.get(event.item)
        if item is not None:
            item.read = Read(event_id, event.encoder, event.text)
            self._look(event.item, item)

    def _is_read(self, item: _Item) -> bool:
        read = item.read
        return (
            read is not None
            and read.text == item.digest
            and read.encoder == self._reader
            and self.encoder == self._reader
        )

    def _look(self, name: str, item: _Item) -> None:
        if not item.digest or self._is_read(item):
            self._unread.pop(name, None)
        else:
            self._unread[name] = None
            self._unread.move_to_end(name)

    def read_by(self, encoder: str) -> None:
        """From now on, what this encoder has not read is unread."""
        if encoder == self._reader:
            return
        self._reader = encoder
        self._unread = OrderedDict(
            (name, None) for name, item in self._items.items() if item.digest and not self._is_read(item)
        )

    @property
    def n_unread(self) -> int:
        """Texts that are to be read."""
        return len(self._unread)

    def unread(self) -> Iterator[Unread]:
        """What is to be read, the newest text first."""
        for name in reversed(self._unread):
            item = self._items[name]
            replaces = "" if item.read is None else item.read.event
            yield Unread(name, text_of(item.fields, self.fields), item.digest, replaces)
