"""The wire form of Protocol Buffers, as far as an ONNX file needs it: the ranker has no package that reads graphs."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


class Unreadable(ValueError):
    """The bytes are no message of this form."""


def members(raw: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The members of a message in their order: number, and a whole number or bytes (of texts and inner messages too).

    Raises
    ------
    Unreadable
        If it ends in the middle of a member, or has one that this form does not know.
    """
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(raw, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(raw, at)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise Unreadable(f"member {number} is of the unknown wire type {wire}")
        if at + length > len(raw):
            raise Unreadable(f"member {number} ends {at + length - len(raw)} bytes behind the message")
        yield number, raw[at : at + length]
        at += length


def varints(raw: memoryview) -> Iterator[int]:
    """Whole numbers that are written one after another."""
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _varint(raw: memoryview, at: int) -> tuple[int, int]:
    """A whole number of 64 bits without sign, and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(raw) or shift > 63:
            raise Unreadable("a number does not end")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
