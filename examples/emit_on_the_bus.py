"""Emit events on the bus, as a service beside Eddyline does; what is refused is told at once."""

import asyncio
import os

from eddyline_client import AsyncClient, Rejected

NATS = os.environ.get("EDDYLINE_NATS_URL", "nats://127.0.0.1:7445")


async def main() -> None:
    async with AsyncClient(nats=NATS) as client:
        sent = await client.send(
            [
                {"type": "item", "item": "boat", "fields": {"title": "Paper boat"}},
                {"type": "interaction", "user": "ada", "item": "boat", "action": "view"},
            ]
        )
        print(f"{sent.stored} stored, up to place {sent.sequence} of the log")
        try:
            await client.send([{"type": "interaction", "item": "boat"}])
        except Rejected as error:
            print("refused:", error.rejected[0].detail)


asyncio.run(main())
