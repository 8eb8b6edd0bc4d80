"""From a request's bytes to pairs of a person and an item: a checked ``POST /v1/predict``."""

from __future__ import annotations

import msgspec

from eddyline_contracts.api_predict import PredictRequest
from eddyline_contracts.decoding import checked_millis
from eddyline_ranker.reading import check_person, check_text, fitting, has_long_number, read_form

_request = msgspec.json.Decoder(PredictRequest)


def read_pairs(body: bytes) -> PredictRequest:
    """Decode and check a ``POST /v1/predict``.

    Raises
    ------
    Refusal
        A subclass for each limit.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    told = read_form(body, _request)
    for index, pair in enumerate(told.pairs):
        check_person(pair.user, pair.session, "of whom", f"`pairs[{index}]`: ")
    check_text(body)
    if has_long_number(body):
        told = msgspec.structs.replace(told, context=fitting(told.context))
    if told.occurred_at is not None:
        told = msgspec.structs.replace(told, occurred_at=checked_millis(told.occurred_at))
    return told
