"""What people ask for, as a vector: the encoder reads the text, and the request carries what it says from then on.

It is what the feature-store is asked with *and* what is logged, so a replay reads the same and runs no model. Without
an encoder, or while it is slow, requests are answered without: the columns that compare texts are unknown then.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TypeVar

import msgspec
from nats.errors import Error as BusError

from eddyline_contracts.api import RankRequest
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.subjects import embed_subject
from eddyline_features.declarations.content import queries_of
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.bus_link import BusLink

_Request = TypeVar("_Request", bound=RankRequest | RecommendRequest)
_KEPT = 4_096
_KEPT_S = 60.0
"""An encoder may be replaced by another, whose vectors are others."""
_NOTHING_S = 1.0
"""So long nobody is asked again for a text that was not answered, or for any after `_TIMEOUTS` in a row."""
_TIMEOUTS = 3
_MOST_CHARS = 1_000


class TextsAsked:
    """Adds vectors to the contexts of requests.

    Parameters
    ----------
    view
        Says which fields of the context hold texts to compare; mostly none, and then nobody is asked.
    timeout_ms
        How long to wait for the encoder.
    """

    def __init__(self, link: BusLink, view: View, *, timeout_ms: int) -> None:
        self._link = link
        self._fields = queries_of(view.features)
        self._timeout_s = timeout_ms / 1_000
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """Vector by text, and until when it is believed; empty where there was no answer."""
        self._timeouts = 0
        """In a row."""
        self._asked_again_at = 0.0

    async def read(self, request: _Request) -> _Request:
        """The request with a vector beside each text; one that the client sent stays."""
        added = {}
        for field in self._fields:
            text = request.context.get(field)
            if isinstance(text, str) and text.strip() and f"{field}_vector" not in request.context:
                told = await self._vector(text[:_MOST_CHARS])
                if told:
                    added[f"{field}_vector"] = told
        return msgspec.structs.replace(request, context={**request.context, **added}) if added else request

    async def _vector(self, text: str) -> str:
        now = time.monotonic()
        until, told = self._known.get(text, (0.0, ""))
        if now < until:
            self._known.move_to_end(text)
            return told
        client = self._link.client
        if client is None or not self._link.up or now < self._asked_again_at:
            return ""
        try:
            answer = await client.request(embed_subject(), text.encode(), timeout=self._timeout_s)
            told, self._timeouts = answer.data.decode(), 0
        except TimeoutError:
            told, self._timeouts = "", self._timeouts + 1
            if self._timeouts >= _TIMEOUTS:
                self._asked_again_at = time.monotonic() + _NOTHING_S
        except (BusError, OSError, UnicodeError):
            told = ""
        metrics.TEXTS_ASKED.labels("read" if told else "unread").inc()
        self._known[text] = (time.monotonic() + (_KEPT_S if told else _NOTHING_S), told)
        self._known.move_to_end(text)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return told
