"""Pass an event's place on, so that another process sees the event in its next slate: the place is one number."""

import asyncio
import os

from eddyline_client import AsyncClient

RANKER = os.environ.get("EDDYLINE_RANKER_URL", "http://127.0.0.1:7440")
INGEST = os.environ.get("EDDYLINE_INGEST_URL", "http://127.0.0.1:7441")


async def main() -> None:
    async with AsyncClient(ingest=INGEST) as checkout, AsyncClient(ranker=RANKER) as shop_window:
        bought = {"type": "interaction", "user": "ada", "item": "kite", "action": "purchase", "value": 12.0}
        sent = await checkout.send([bought])
        # In a shop this number travels in a cookie or a header.
        slate = await shop_window.rank(["boat", "kite"], user="ada", min_sequence=sent.sequence or 0)
        print(f"bought at place {sent.sequence}; the slate knows the log up to {slate.features_sequence}")


asyncio.run(main())
