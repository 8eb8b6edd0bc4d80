"""The small SDK: send events, by HTTP or on the bus, and ask for slates.

`AsyncClient` for programs with an event loop, `Client` for all others; both do the same.
"""

from eddyline_client.async_client import AsyncClient
from eddyline_client.client import Client
from eddyline_client.errors import (
    Closed,
    Conflict,
    EddylineError,
    Invalid,
    Misdirected,
    Rejected,
    RejectedEvent,
    Unavailable,
    Unknown,
    UnsentEvent,
)
from eddyline_client.options import Batching
from eddyline_client.sender import Sent
from eddyline_contracts.api import RankedItem, RankItem, Slate
from eddyline_contracts.api_catalogue import FoundItem, SimilarItems, TrendingItem, TrendingItems
from eddyline_contracts.api_predict import Prediction, Predictions, PredictPair
from eddyline_contracts.api_recommend import BatchAnswer, RecommendRequest
from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateItem, SlateServed, UserUpserted

__all__ = [
    "AsyncClient",
    "BatchAnswer",
    "Batching",
    "Client",
    "Closed",
    "Conflict",
    "EddylineError",
    "FoundItem",
    "InteractionRecorded",
    "Invalid",
    "ItemUpserted",
    "Misdirected",
    "PredictPair",
    "Prediction",
    "Predictions",
    "RankItem",
    "RankedItem",
    "RecommendRequest",
    "Rejected",
    "RejectedEvent",
    "Sent",
    "SimilarItems",
    "Slate",
    "SlateItem",
    "SlateServed",
    "TrendingItem",
    "TrendingItems",
    "Unavailable",
    "Unknown",
    "UnsentEvent",
    "UserUpserted",
]
