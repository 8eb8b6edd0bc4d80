"""The events of Eddyline in their native form: immutable facts, named in the past tense.

The same structs validate what arrives, decode what the log holds, and give the JSON Schema that is published.
Unknown members and unknown actions are data: they are neither refused nor lost, since the log keeps an event as
it was received.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from eddyline_contracts.limits import MAX_DIMS, MAX_FIELDS, MAX_ID_CHARS, MAX_ITEMS

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
Fields = Annotated[dict[str, Any], Meta(max_length=MAX_FIELDS)]
"""Field values by name: numbers, booleans, strings or lists of them; null removes a field."""
_FROM_1970 = Meta(extra_json_schema={"pattern": r"^(19[7-9]\d|[2-9]\d{3})-"})
OccurredAt = Annotated[datetime, Meta(tz=True), _FROM_1970] | Annotated[int, Meta(ge=0, lt=2**53)]
"""RFC 3339 with an offset, or milliseconds since the Unix epoch."""
Probability = Annotated[float, Meta(gt=0.0, le=1.0)]

SHUFFLED = "shuffled"
"""The policy of slates whose first places chance has drawn, all orders being equally likely."""
VERSION = 1
"""The newest version of the native form; an event without ``v`` is of version 1."""


class _Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    id: Annotated[Id, Meta(extra_json_schema={"pattern": "^[^\0]*$"})] | None = None
    """Unique name of the event; what makes sending it twice harmless."""
    occurred_at: OccurredAt | None = None
    """When it happened by the client's clock; absent means when it was received."""
    v: Annotated[int, Meta(extra_json_schema={"enum": [VERSION]})] = VERSION
    """Version of the form (see ``upcasting``)."""


class ItemUpserted(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="item"):
    """An item appeared or changed. Fields are merged into what is known; ``removed`` takes it out of the catalogue."""

    item: Id
    fields: Fields = {}
    removed: bool = False
    """Whether it is out of the catalogue; the next upsert without it brings it back."""


class UserUpserted(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="user"):
    """A user appeared or changed. Fields are merged into what is known."""

    user: Id
    fields: Fields = {}


# Decoded JSON holds no cycles, so the collector need not track these: decoding a slate takes half the time.
class SlateItem(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One impression: an item at its position (its place in the list)."""

    item: Id
    score: float | None = None
    """By which it was placed there."""
    propensity: Probability | None = None
    """Probability that the policy put this item at this position, whatever stands above it."""
    by_score: Annotated[int, Meta(ge=0)] | None = None
    """Where it would stand without chance, from 0; absent where it stands there, or where chance had no say."""
    source: str | None = None
    """Where it was found: the source of retrieval that gave it as a candidate."""
    fields: Fields = {}
    """Fields that hold for this item in this slate only, as a search engine's relevancy."""


class SlateServed(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="slate"):
    """An ordered list was shown. The members from ``features_sequence`` on are written by the ranker only.

    Three kinds, told apart by two members:

    - client-made: neither ``policy`` nor ``features_sequence``; counts as ranked just before its own sequence.
    - of the ranker: both; its vectors are those of the state at ``features_sequence``, read at ``ranked_at``.
    - of the ranker while it had no features: ``policy`` without ``features_sequence``. Nobody knows what was seen, so
      it **trains nothing** (its interactions still feed features); it must not be taken for a client-made one.
    """

    user: Id | None = None
    session: Id | None = None
    """The visit; who has no account is known by it alone."""
    items: Annotated[list[SlateItem], Meta(min_length=1, max_length=MAX_ITEMS)]
    """In the order in which they were shown."""
    context: Fields = {}
    """Fields of the request, as the device or the query."""
    features_sequence: Annotated[int, Meta(ge=0, lt=2**53)] | None = None
    """Log position of the state that the vectors were read from."""
    ranked_at: Annotated[int, Meta(ge=0, lt=2**53)] | None = None
    """Time at which the vectors were read, in ms since the Unix epoch."""
    candidates: Annotated[list[Id], Meta(max_length=MAX_ITEMS)] | None = None
    """The candidates in the order in which they were ranked; absent means the order of ``items``."""
    view: str | None = None
    """Feature view that was asked."""
    model: str | None = None
    policy: str | None = None
    """How the order came about: ``greedy`` (by the model's scores), ``shuffled`` (the same, and then the first places
    by chance: the propensity of each item there is below 1), ``epsilon``, ``thompson`` and ``plackett-luce`` (as the
    view's ``exploration`` says: propensities are below 1 where another item could have stood), ``live-priors`` (no
    model: by the online model, or without one by item priors, of the state at ``features_sequence``),
    ``bundle-priors`` (no features, or none for this model), ``request-order`` (neither)."""
    served_vectors: Annotated[list[bytes], Meta(max_length=MAX_ITEMS)] | None = None
    """On a share of the ranker's slates, what it received: of each candidate, in the order in which they were ranked,
    its vector as float32, little-endian, in base64. The trainer compares them with its replay, bit for bit."""


class InteractionRecorded(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="interaction"):
    """A person acted on an item, with or without a slate that showed it."""

    user: Id | None = None
    session: Id | None = None
    """The visit; who has no account is known by it alone."""
    item: Id
    slate: Id | None = None
    """The slate that showed it: what makes it a lesson for the model."""
    action: Id = "click"
    """What was done, as the view's ``actions`` name it."""
    value: float = 1.0
    fields: Fields = {}


class ModelPromoted(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="model_promoted"):
    """A challenger became the champion. Written by the trainer."""

    model: Id
    parent: Id | None = None
    view: str
    decision: dict[str, Any] = {}
    """The numbers by which it was decided."""


class ModelRolledBack(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="model_rolled_back"):
    """The champion was taken back in favour of ``model``. Written by the trainer."""

    model: Id
    parent: Id | None = None
    view: str
    decision: dict[str, Any] = {}


class ModelAdded(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="model_added"):
    """A model that was made elsewhere entered the comparison. Written by the trainer, which has the model itself."""

    model: Id
    """sha256 of its ONNX bytes, in hex."""
    view: str
    """Feature view that its columns are of."""
    name: str = ""
    """What people call it."""
    note: str = ""


class ItemEmbedded(_Event, frozen=True, kw_only=True, omit_defaults=True, tag="item_embedded"):
    """A text encoder has read an item: what its text says, as a vector. Written by the encoder.

    Kept as int8: number n of the vector is ``scale`` times byte n, read as a signed one. So nobody runs the model again
    who reads the log.
    """

    item: Id
    encoder: Id
    """Whose vector it is; those of different encoders cannot be compared."""
    dims: Annotated[int, Meta(ge=1, le=MAX_DIMS)]
    """Numbers of the vector: the bytes that ``vector`` must hold."""
    scale: Annotated[float, Meta(gt=0.0, lt=1e30)]
    vector: bytes
    """In base64."""
    text: Annotated[str, Meta(max_length=64)]
    """sha256 of the text that was read, in hex: another one means that the item's text has changed."""


Event = (
    ItemUpserted
    | UserUpserted
    | SlateServed
    | InteractionRecorded
    | ModelPromoted
    | ModelRolledBack
    | ModelAdded
    | ItemEmbedded
)
PUBLIC_TYPES: tuple[type[Event], ...] = (ItemUpserted, UserUpserted, SlateServed, InteractionRecorded)
"""What any client may send; the rest is written by Eddyline's own services."""


def type_of(event: Event) -> str:
    """The event's wire name, as in ``"type"`` and in the subject ``events.<type>``."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def to_millis(moment: datetime | int) -> int:
    """Milliseconds since the Unix epoch, rounded down; exact, since no float is involved."""
    if isinstance(moment, int):
        return moment
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def encode(event: Event) -> bytes:
    """The event as JSON in its native form."""
    return msgspec.json.encode(event)
