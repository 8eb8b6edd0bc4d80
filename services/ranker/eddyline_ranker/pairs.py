"""From a request's bytes to pairs of a person and an item: a checked ``POST /v1/predict``."""

from __future__ import annotations

import msgspec

from eddyline_contracts.api_predict import PredictRequest
from eddyline_contracts.decoding import checked_millis, refusal_by_limit
from eddyline_contracts.limits import MAX_STRING_BYTES, InvalidEvent, check_depth, check_strings
from eddyline_ranker.candidates import fitting, has_long_number

_request = msgspec.json.Decoder(PredictRequest)
_anything = msgspec.json.Decoder()


def read_pairs(body: bytes) -> PredictRequest:
    """Decode and check a ``POST /v1/predict``.

    Raises
    ------
    Refusal
        A subclass for each limit.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    check_depth(body)
    try:
        told = _request.decode(body)
    except msgspec.ValidationError as error:
        refusal = refusal_by_limit(error)
        if refusal is None:
            raise
        raise refusal from error
    for index, pair in enumerate(told.pairs):
        if pair.user is None and pair.session is None:
            raise InvalidEvent(f"`pairs[{index}]`: `user` or `session` is required: say of whom")
    if len(body) > MAX_STRING_BYTES:
        check_strings(_anything.decode(body), "$")
    if has_long_number(body):
        told = msgspec.structs.replace(told, context=fitting(told.context))
    if told.occurred_at is not None:
        told = msgspec.structs.replace(told, occurred_at=checked_millis(told.occurred_at))
    return told
