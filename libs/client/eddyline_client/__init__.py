"""The small SDK: send events and ask for slates, by HTTP or on the bus.

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
    UnsentEvent,
)
from eddyline_client.options import Batching
from eddyline_client.sender import Sent
from eddyline_contracts.api import RankedItem, RankItem, Slate
from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateItem, SlateServed, UserUpserted

__all__ = [
    "AsyncClient",
    "Batching",
    "Client",
    "Closed",
    "Conflict",
    "EddylineError",
    "InteractionRecorded",
    "Invalid",
    "ItemUpserted",
    "Misdirected",
    "RankItem",
    "RankedItem",
    "Rejected",
    "RejectedEvent",
    "Sent",
    "Slate",
    "SlateItem",
    "SlateServed",
    "Unavailable",
    "UnsentEvent",
    "UserUpserted",
]
