"""A state as bytes: equal states give equal bytes, and damaged or foreign bytes are refused.

A text line names the format, then come a SHA-256 and the body in MessagePack. Arrays are little-endian and hold the
rows in use only, so that nothing depends on the machine or on how much was reserved.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.entities import Table
from eddyline_features.identities import identity
from eddyline_features.view import FOLD_FORMAT

if TYPE_CHECKING:
    from eddyline_features.state import State

_MAGIC = f"eddyline-fold-{FOLD_FORMAT}\n".encode()
_FAMILY = b"eddyline-fold-"


class SnapshotError(ValueError):
    """The bytes are no snapshot of this view and format, or damaged: fold the log from its beginning."""


class _Table(Struct, frozen=True, array_like=True):
    ids: list[str]
    order: bytes
    """Rows, int32, the longest unseen first."""
    arrays: list[bytes]


class _Body(Struct, frozen=True, array_like=True):
    view: str
    sequence: int
    clock: int
    landmarks: bytes
    overall: bytes
    items: _Table
    gone_items: list[int]
    users: _Table
    sessions: _Table
    value_texts: list[str]
    value_fields: list[int]
    value_uses: list[int]
    unused_values: list[int]
    refused_values: int
    value_counters: bytes
    value_seen: bytes
    kinds: list[list[bytes]]
    """What each kind saves, in the order of the view's kinds."""


def encode(state: State) -> bytes:
    """The state as bytes."""
    values = state.values
    body = _Body(
        view=state.view.id,
        sequence=state.sequence,
        clock=state.clock,
        landmarks=as_bytes(state.landmarks),
        overall=as_bytes(state.overall),
        items=_encode_table(state.items, state.items.numbers, state.items.values, state.items.counters),
        gone_items=list(state.items.gone),
        users=_encode_table(state.users, state.users.numbers, state.users.counters, state.users.rings),
        sessions=_encode_table(
            state.sessions, state.sessions.numbers, state.sessions.counters, state.sessions.rings
        ),
        value_texts=values.texts,
        value_fields=values.fields,
        value_uses=values.uses,
        unused_values=list(values.unused),
        refused_values=values.n_refused,
        value_counters=as_bytes(values.counters[: len(values)]),
        value_seen=as_bytes(values.seen[: len(values)]),
        kinds=[kind.save() for kind in state.columns.kinds],
    )
    raw = msgspec.msgpack.encode(body)
    return b"".join((_MAGIC, hashlib.sha256(raw).digest(), raw))


def decode(state: State, raw: bytes) -> None:
    """Fill a new state from bytes.

    Raises
    ------
    SnapshotError
        If they are not of the state's view, or damaged.
    """
    body = _body(raw)
    if body.view != state.view.id:
        raise SnapshotError(
            f"the snapshot is of view {body.view}, not of {state.view.id}: fold the log from its beginning"
        )
    state.sequence, state.clock = body.sequence, body.clock
    fill(state.landmarks, body.landmarks)
    fill(state.overall, body.overall)
    for table, told, arrays in (
        (state.items, body.items, (state.items.numbers, state.items.values, state.items.counters)),
        (state.users, body.users, (state.users.numbers, state.users.counters, state.users.rings)),
        (
            state.sessions,
            body.sessions,
            (state.sessions.numbers, state.sessions.counters, state.sessions.rings),
        ),
    ):
        _decode_table(table, told, *arrays)
    state.items.gone.update(dict.fromkeys(body.gone_items))
    values = state.values
    values.texts, values.fields, values.uses = body.value_texts, body.value_fields, body.value_uses
    for code, (field, text) in enumerate(zip(values.fields, values.texts, strict=True)):
        values.codes[field][text] = code
    values.unused.update(dict.fromkeys(body.unused_values))
    values.n_refused = body.refused_values
    fill(values.counters[: len(values)], body.value_counters)
    fill(values.seen[: len(values)], body.value_seen)
    for row, item in enumerate(state.items.ids):
        state.items.identities[row] = identity(item)
    for code, text in enumerate(values.texts):
        values.identities[code] = identity(text)
    for kind, saved in zip(state.columns.kinds, body.kinds, strict=True):
        kind.load(saved)


def _body(raw: bytes) -> _Body:
    head = len(_MAGIC)
    if raw[:head] != _MAGIC:
        what = "of another format" if raw.startswith(_FAMILY) else "no snapshot"
        raise SnapshotError(f"the bytes are {what}: fold the log from its beginning")
    digest, body = raw[head : head + 32], raw[head + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError(
            "the snapshot's checksum does not match: it is damaged or cut short; take an older one"
        )
    try:
        return msgspec.msgpack.decode(body, type=_Body)
    except msgspec.MsgspecError as error:
        raise SnapshotError(
            f"the snapshot cannot be read ({error}): fold the log from its beginning"
        ) from error


def _encode_table(table: Table, *arrays: NDArray[Any]) -> _Table:
    n = len(table)
    order = np.fromiter(table.rows.values(), np.int32, n)
    return _Table(table.ids, as_bytes(order), [as_bytes(array[:n]) for array in (table.meta, *arrays)])


def _decode_table(table: Table, told: _Table, *arrays: NDArray[Any]) -> None:
    table.ids = told.ids
    order = np.frombuffer(told.order, "<i4").tolist()
    table.rows.update((told.ids[row], row) for row in order)
    for array, raw in zip((table.meta, *arrays), told.arrays, strict=True):
        fill(array[: len(told.ids)], raw)
