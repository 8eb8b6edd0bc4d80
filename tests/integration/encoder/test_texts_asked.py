"""What people ask for reaches the features as a vector, and the log with the slate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nats.aio.msg import Msg

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.api import RankRequest
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import ItemUpserted, SlateServed, encode
from eddyline_contracts.subjects import embed_subject
from eddyline_encoder.service import hosting
from eddyline_encoder.settings import EncoderSettings
from eddyline_encoding.choosing import source_of
from eddyline_encoding.facts import fact_of
from eddyline_eventlog.memory import MemoryLog
from eddyline_features.view import load_view
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.texts_asked import TextsAsked
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from tests.support.serving import a_feature_store, a_ranker, folded, inbox, make_inbox
from tests.support.tiny_encoder import tiny_encoder
from tests.support.waiting import wait_until

VIEW = """
view: shop
label_window: 10m
actions: {click: 1}
features: [{name: says, kind: content_similarity, outputs: query, query: context.wish}]
"""


def a_log(folder: Path) -> MemoryLog:
    """Two items that an encoder has read."""
    log, encoder = MemoryLog(), source_of(str(folder), 1_024).encoder
    assert encoder is not None
    for item in ("red socks", "lamp"):
        log.append(encode(ItemUpserted(id=item, item=item, fields={"title": item})))
        (vector,) = encoder.embed([item])
        log.append(encode(fact_of(item, encoder.id, "", vector)))
    return log


async def test_a_text_is_read_once_and_is_logged_as_what_it_says(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(VIEW)
    folder = tiny_encoder(tmp_path / "encoder")
    log = a_log(folder)
    told = EncoderSettings(nats_url=nats_server.url, port=0, config=config, encoder=str(folder), nice=0)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        async with (
            hosting(told, client, log),
            a_feature_store(nats_server.url, log, config=config),
            a_ranker(nats_server.url, config=config, skew_share=1.0, encoder_timeout_ms=2_000) as ranker,
        ):

            async def has_features() -> bool:
                return "features" not in (await ranker.rank(["lamp"], log=False))["degraded"]

            await wait_until(has_features, 20)
            for wish in ("red", "red", "unheard of", None):
                context = {} if wish is None else {"wish": wish}
                await ranker.rank(["red socks", "lamp"], context=context)

            async def are_stored() -> bool:
                return len(await slates(client)) == 4

            await wait_until(are_stored, 20)
            first, again, unknown, without = await slates(client)
    assert first.context["wish_vector"].startswith("sentences-")
    assert again.context == first.context
    assert "wish_vector" not in unknown.context
    assert without.context == {}
    assert first.served_vectors is not None
    served = np.frombuffer(b"".join(first.served_vectors), "<f4")
    assert np.allclose(served, [0.5**0.5, 0.0], atol=0.01)
    # Who reads the log later sees the same bits, with no encoder about.
    state = await folded(log, load_view(VIEW))
    replayed = state.vectors("u1", None, ["red socks", "lamp"], None, first.context, first.ranked_at or 0)
    assert replayed[:, 0].tobytes() == served.tobytes()


async def test_an_encoder_that_hangs_costs_only_the_first_requests_their_wait(
    nats_server: NatsServer,
) -> None:
    heard: list[str] = []
    async with connected(nats_server.url, "test") as client:

        async def hang(message: Msg) -> None:
            heard.append(message.data.decode())
            if "answered" in heard[-1]:
                await client.publish(message.reply, b"e:AA==")

        await client.subscribe(embed_subject(), cb=hang)
        await client.flush()
        link = BusLink(nats_server.url, "ranker")
        texts = TextsAsked(link, load_view(VIEW), timeout_ms=40)
        async with alongside(link.run()):
            await link.first_connection()

            async def read(wish: str) -> dict[str, object]:
                return (await texts.read(RankRequest(items=["a"], user="u", context={"wish": wish}))).context

            for k in range(20):
                assert await read(f"wish {k}") == {"wish": f"wish {k}"}
            assert len(heard) <= 4

            async def answered() -> bool:
                return "wish_vector" in await read(f"answered {len(heard)}")

            await wait_until(answered)


async def slates(client: object) -> list[SlateServed]:
    """Those in the inbox."""
    events = [decode_event(raw) for raw in await inbox(client)]  # type: ignore[arg-type]
    return [event for event in events if isinstance(event, SlateServed)]
