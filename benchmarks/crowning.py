"""Models made champion by hand, as a trainer does it: bundle, then key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import nats
from nats.js import api
from nats.js.errors import BadRequestError
from nats.js.kv import KeyValue
from nats.js.object_store import ObjectStore

from eddyline_contracts.bundle import Bundle, Champion, encode_bundle
from eddyline_contracts.subjects import BUNDLES_BUCKET, CHAMPION_KEY, MODELS_BUCKET


class Throne:
    """Where rankers look for their champion."""

    def __init__(self, keys: KeyValue, store: ObjectStore) -> None:
        self._keys, self._store = keys, store

    async def put(self, bundle: Bundle) -> None:
        """Have the bundle where it is fetched from."""
        await self._store.put(bundle.model, encode_bundle(bundle))

    async def crown(self, bundle: Bundle) -> None:
        """Announce it as the champion; it has to be there already."""
        now = time.time_ns() // 10**6
        champion = Champion(model=bundle.model, view=bundle.view, promoted_at=now, last_sequence=1)
        await self._keys.put(CHAMPION_KEY, msgspec.json.encode(champion))


@asynccontextmanager
async def throne(url: str) -> AsyncIterator[Throne]:
    """The throne at this nats-server, made if there is none."""
    client = await nats.connect(url)
    js = client.jetstream()
    try:
        try:
            keys = await js.create_key_value(api.KeyValueConfig(bucket=MODELS_BUCKET))
            store = await js.create_object_store(BUNDLES_BUCKET)
        except BadRequestError:
            keys, store = await js.key_value(MODELS_BUCKET), await js.object_store(BUNDLES_BUCKET)
        yield Throne(keys, store)
    finally:
        await client.close()


@asynccontextmanager
async def crowned(url: str, bundles: Sequence[Bundle], *, swap_every_s: float | None) -> AsyncIterator[None]:
    """Make the first bundle the champion; then, if asked to, the next one all the time while the block runs."""
    async with throne(url) as place:

        async def swap() -> None:
            k = 0
            while swap_every_s is not None:
                k += 1
                await place.crown(bundles[k % len(bundles)])
                await asyncio.sleep(swap_every_s)

        # The trainer clears the bucket of models that it does not know.
        for bundle in bundles:
            await place.put(bundle)
        await place.crown(bundles[0])
        swapping = asyncio.create_task(swap())
        yield
        swapping.cancel()
