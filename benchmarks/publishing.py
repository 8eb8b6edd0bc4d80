"""Events onto the bus, as services publish them."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

import nats
from nats.js.client import JetStreamContext

from eddyline_contracts.events import Event, encode, type_of
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import EPOCH_METADATA, INBOX_STREAM, MSG_ID, event_subject, message_id

_PENDING_BYTES = 64 * 1024 * 1024


async def epoch_of(js: JetStreamContext) -> int:
    """That of the inbox."""
    metadata = (await js.stream_info(INBOX_STREAM)).config.metadata or {}
    return int(metadata[EPOCH_METADATA])


async def publish_all(url: str, events: Iterable[Event]) -> int:
    """Publish the events in their order; the place of the last one, once it is stored."""
    client = await nats.connect(url, pending_size=_PENDING_BYTES)
    try:
        js = client.jetstream(publish_async_max_pending=2_000)
        acks = []
        for event in events:
            headers = {MSG_ID: message_id(str(event.id))}
            acks.append(await js.publish_async(event_subject(type_of(event)), encode(event), headers=headers))
        return sequence_of(await epoch_of(js), (await acks[-1]).seq)
    finally:
        await client.close()


def details(url: str) -> dict[str, Any]:
    """What a service tells of itself, ready or not."""
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=10) as answer:
            raw = answer.read()
    except urllib.error.HTTPError as error:
        raw = error.read()
    told: dict[str, Any] = json.loads(raw).get("details", {})
    return told


async def until_at(url: str, sequence: int, *, deadline_s: float = 300.0) -> None:
    """Wait until a follower of the log has reached this place."""
    async with asyncio.timeout(deadline_s):
        while (await asyncio.to_thread(details, url)).get("sequence", 0) < sequence:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
