"""From a request's bytes to what is asked of the feature-store: a checked ``POST /v1/recommend``."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.candidates import CandidatesRequest
from eddyline_contracts.decoding import checked_millis
from eddyline_contracts.limits import EventTooLarge
from eddyline_features.filters.reading import read_filter
from eddyline_features.recommend_settings import Recommend
from eddyline_ranker.reading import check_person, check_text, fitting, has_long_number, read_form

_request = msgspec.json.Decoder(RecommendRequest)
_encode = msgspec.json.Encoder().encode

MAX_CONTEXT_BYTES = 256 * 1024
"""Of a slate that is to be logged, so that there is room for the ids of its candidates beside the context."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is to be recommended, and for whom."""

    request: RecommendRequest
    at: int | None
    """The request's own time in ms since the Unix epoch, if it has one."""
    caps: dict[str, int]
    """At most so many items with the same value of a field; by the request, or else by the view."""
    diversity: float
    """Likewise."""
    alike_by: tuple[str, ...] = ()
    """Item fields by which items may be like each other, for diversity."""
    numbers_too: bool = False
    """Whether those of them count that hold numbers: they do where the view has chosen them."""

    @property
    def fields(self) -> list[str]:
        """Item fields whose values are needed."""
        return list(dict.fromkeys((*self.caps, *self.alike_by)))

    @property
    def person(self) -> str:
        """The user, or without one the session."""
        request = self.request
        return (request.session if request.user is None else request.user) or ""

    def question(
        self, n_candidates: int, max_wait_ms: int, *, priors: bool, deviations: bool, sayable: list[str]
    ) -> CandidatesRequest:
        """What to ask the feature-store; ``priors``: for how to order without a model, too; ``deviations``: for how
        uncertain each rate is; ``sayable``: item fields that explanations may name, if there are to be any.
        """
        told = self.request
        return CandidatesRequest(
            told.user,
            told.session,
            max(told.n, n_candidates),
            told.context,
            self.at,
            told.min_sequence,
            max_wait_ms if told.min_sequence else 0,
            told.exclude,
            told.filters,
            self.fields,
            self.diversity > 0.0,
            deviations,
            priors,
            sayable if told.explain else None,
        )


def read_recommendation(body: bytes, settings: Recommend) -> Recommendation:
    """Decode and check a ``POST /v1/recommend``; what it leaves open is as the view's section says.

    Raises
    ------
    Refusal
        A subclass for each limit, those of the event included that the slate will be.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    told = read_form(body, _request)
    check_person(told.user, told.session, "for whom to recommend")
    at = None if told.occurred_at is None else checked_millis(told.occurred_at)
    check_text(body)
    # A short number may grow fourfold.
    if told.log and 4 * len(body) > MAX_CONTEXT_BYTES and len(_encode(told.context)) > MAX_CONTEXT_BYTES:
        raise EventTooLarge(
            f"`context` has more than {MAX_CONTEXT_BYTES:,} bytes: send the fields that features use, "
            "or say `log: false`"
        )
    if has_long_number(body):
        told = msgspec.structs.replace(told, context=fitting(told.context), filters=fitting(told.filters))
    if told.filters is not None:
        # Without its fields, which the feature-store knows: what is no filter is refused though the store is away.
        read_filter(told.filters)
    caps: dict[str, int] = {}
    for said, most in (settings.caps if told.caps is None else told.caps).items():
        name = said.removeprefix("item.")
        # Said both ways, both are to be kept.
        caps[name] = min(most, caps.get(name, most))
    diversity = settings.diversity if told.diversity is None else told.diversity
    chosen = settings.diversity_by
    alike_by = (chosen or settings.fields) if diversity > 0.0 else ()
    return Recommendation(told, at, caps, diversity, alike_by, bool(chosen))
