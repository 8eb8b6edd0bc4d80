"""What all bodies of requests have in common: JSON of a form, within the limits, with numbers that can be passed on."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from eddyline_contracts.decoding import refusal_by_limit
from eddyline_contracts.limits import MAX_STRING_BYTES, InvalidEvent, check_depth, check_strings

_Form = TypeVar("_Form")
_anything = msgspec.json.Decoder()
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19
"""So many digits an integer has at least that does not fit into 64 bits."""


def read_form(body: bytes, form: msgspec.json.Decoder[_Form]) -> _Form:
    """Decode a body.

    Raises
    ------
    Refusal
        A subclass for each limit that is broken.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    check_depth(body)
    try:
        return form.decode(body)
    except msgspec.ValidationError as error:
        refusal = refusal_by_limit(error)
        if refusal is None:
            raise
        raise refusal from error


def check_person(user: str | None, session: str | None, what_for: str, where: str = "") -> None:
    """Refuse what is for nobody; ``what_for`` ends the sentence, ``where`` begins it."""
    if user is None and session is None:
        raise InvalidEvent(f"{where}`user` or `session` is required: say {what_for}")


def check_text(body: bytes) -> None:
    """Refuse a string that is longer than an event may hold."""
    # No string can be longer than the body that holds it, so most requests need no walk.
    if len(body) > MAX_STRING_BYTES:
        check_strings(_anything.decode(body), "$")


def has_long_number(body: bytes) -> bool:
    """Whether a number in it may not fit into 64 bits."""
    return _LONG_NUMBER in body.translate(_DIGITS)


def fitting(value: Any) -> Any:
    """The value with integers beyond 64 bits as the nearest float."""
    if isinstance(value, dict):
        return {name: fitting(member) for name, member in value.items()}
    if isinstance(value, list):
        return [fitting(member) for member in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError:
            # Beyond what a float holds it is unknown, as it is to every feature.
            return None
    return value
