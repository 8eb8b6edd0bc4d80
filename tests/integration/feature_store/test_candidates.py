"""Candidates over the bus: what the fold finds, with all that the ranker wants to know of them, in one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest, decode_answer, encode
from eddyline_contracts.subjects import candidates_subject
from eddyline_eventlog.memory import MemoryLog
from eddyline_features.recommend_settings import SOURCES
from eddyline_features.view import View, load_view
from eddyline_runtime.bus import connected
from tests.support.a_log import a_click, an_item
from tests.support.serving import CONFIG, a_feature_store, fixture_log, folded
from tests.support.waiting import wait_until

AT = 1_736_200_000_000
ONLINE = "" if "\nonline:" in CONFIG.read_text() else "online: {factors: 4}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "eddyline.yaml"
    told = [part for part in CONFIG.read_text().split("\n") if not part.startswith("recommend:")]
    path.write_text("\n".join(told) + f"\n{ONLINE}recommend: {{fields: [genres, price, popularity]}}\n")
    return path


@pytest.fixture
def view(config: Path) -> View:
    return load_view(config.read_text())


@pytest.fixture
def plain(config: Path) -> View:
    """Written over the other: it chooses no candidates."""
    text = config.read_text()
    config.write_text("\n".join(line for line in text.split("\n") if not line.startswith("recommend:")))
    return load_view(config.read_text())


@asynccontextmanager
async def answering(nats_server: NatsServer, log: MemoryLog, config: Path) -> AsyncIterator[Client]:
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, config=config) as store:
            await wait_until(store.fold.caught_up.is_set)
            await client.flush()
            yield client


async def ask(client: Client, view: View, **request: Any) -> CandidatesAnswer:
    told = {"user": "u1", "session": None, "n": 30, "at": AT, **request}
    message = await client.request(candidates_subject(view.id), encode(CandidatesRequest(**told)), timeout=5)
    return decode_answer(message.data)


async def test_candidates_and_their_vectors_are_those_of_the_fold(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    log = fixture_log()
    state = await folded(log, view)
    async with answering(nats_server, log, config) as client:
        for user, session in (("u1", "x1"), (None, "x3"), ("nobody", None)):
            answer = await ask(
                client,
                view,
                user=user,
                session=session,
                context={"device": "phone"},
                exclude=["i3"],
                fields=["genres", "price"],
                embeddings=True,
                deviations=True,
            )
            at = state.time_of(AT, 0)
            found = state.candidates(user, session, {"device": "phone"}, at, 30, exclude=["i3"])
            vectors = state.vectors(user, session, found.items, None, {"device": "phone"}, at)
            assert (answer.error, answer.refused, answer.stale) == (None, None, False)
            assert (answer.sequence, answer.ranked_at) == (state.sequence, at)
            assert answer.items == found.items
            assert len(answer.items) == 30
            assert "i3" not in answer.items
            assert [answer.sources[s] for s in answer.source] == [found.sources[s] for s in found.source]
            assert answer.vectors == vectors.astype("<f4").tobytes()
            scores = state.first_scores(user, session, found.items, at)
            assert answer.priors == scores.astype("<f4").tobytes()
            assert answer.values == [state.fields.texts(name, found.rows) for name in ("genres", "price")]
            assert any(answer.values[0])
            deviations = np.frombuffer(answer.deviations, "<f4")
            assert deviations.tobytes() == state.deviations(found.items, at).astype("<f4").tobytes()
            embeddings = np.frombuffer(answer.embeddings, "<f4").reshape(len(found.items), -1)
            np.testing.assert_allclose((embeddings**2).sum(axis=1), 1.0, rtol=1e-5)


async def test_what_is_not_asked_for_is_not_sent(nats_server: NatsServer, config: Path, view: View) -> None:
    async with answering(nats_server, fixture_log(), config) as client:
        answer = await ask(client, view, priors=False)
        assert (answer.priors, answer.values, answer.embeddings, answer.deviations) == (b"", [], b"", b"")
        assert len(answer.vectors) == 4 * 30 * len(view.columns)


async def test_a_narrow_filter_still_fills_the_slate(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    log = fixture_log()
    state = await folded(log, view)
    everything = state.candidates(None, "nobody", {}, AT, 10_000)
    genres = state.fields.texts("genres", everything.rows)
    wanted = {item for item, of in zip(everything.items, genres, strict=True) if "drama" in of}
    assert 0 < len(wanted) < len(everything.items)
    async with answering(nats_server, log, config) as client:
        answer = await ask(client, view, user="nobody", n=1_000, filters={"genres": "drama"})
        assert set(answer.items) == wanted


async def test_a_request_that_nothing_will_make_right_is_refused_with_what_to_do(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    async with answering(nats_server, fixture_log(50), config) as client:
        answer = await ask(client, view, filters={"nowhere": 3})
        assert answer.refused is not None
        assert "recommend.fields" in answer.refused
        answer = await ask(client, view, fields=["nowhere"])
        assert answer.refused is not None
        assert "recommend.fields" in answer.refused
        assert (answer.items, answer.vectors) == ([], b"")


async def test_a_view_without_the_section_says_what_is_missing(
    nats_server: NatsServer, config: Path, plain: View
) -> None:
    async with answering(nats_server, fixture_log(50), config) as client:
        answer = await ask(client, plain)
        assert answer.refused is not None
        assert "`recommend" in answer.refused


async def test_a_persons_own_click_is_seen_by_who_names_its_place(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    log = fixture_log()
    async with answering(nats_server, log, config) as client:
        first = (await ask(client, view)).items[0]
        last = await log.last()
        waiting = asyncio.create_task(ask(client, view, min_sequence=last + 1, wait_ms=5_000))
        await client.flush()
        log.append(msgspec.json.encode(a_click(first, at=AT, user="u1")))
        answer = await waiting
        assert (answer.sequence, answer.stale) == (last + 1, False)
        assert first not in answer.items
        stale = await ask(client, view, min_sequence=last + 2, wait_ms=20)
        assert stale.stale


async def test_an_item_of_just_now_is_a_candidate_and_a_removed_one_is_not(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    log = fixture_log()
    async with answering(nats_server, log, config) as client:
        log.append(msgspec.json.encode(an_item("brand new", at=AT, price=3)))
        last = await log.last()
        answer = await ask(client, view, min_sequence=last, wait_ms=5_000)
        assert answer.sources[answer.source[answer.items.index("brand new")]] == "new"
        log.append(b'{"type":"item","id":"gone","item":"brand new","removed":true,"fields":{}}')
        answer = await ask(client, view, n=1_000, min_sequence=last + 1, wait_ms=5_000)
        assert "brand new" not in answer.items


async def test_beyond_so_many_items_an_index_finds_what_the_online_model_likes(
    nats_server: NatsServer, config: Path, view: View
) -> None:
    log = fixture_log()
    state = await folded(log, view)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, config=config, exact_items=10) as store:
            choosing = store.fold.state.columns.choosing
            assert choosing is not None
            await wait_until(lambda: choosing.nearest is not None and choosing.nearest.rounds > 0)
            await client.flush()
            assert choosing.nearest is not None
            online = state.columns.online
            assert online is not None
            n_learnt = int(online.are_learnt(np.arange(len(state.items), dtype=np.int32)).sum())
            assert len(choosing.nearest) == n_learnt > 10
            told = REGISTRY.get_sample_value
            assert told("eddyline_index_items") == n_learnt
            # The first round had all to put in, any later one nothing.
            assert told("eddyline_index_behind") == (n_learnt if choosing.nearest.rounds == 1 else 0)
            assert told("eddyline_index_to_look_at") == 0
            assert (told("eddyline_index_round_seconds") or 0.0) > 0.0
            # The first few are those that a pass over all would find; asked for all, it gives all.
            for n, first in ((5, 5), (1_000, 0)):
                answer = await ask(client, view, n=n)
                found = state.candidates("u1", None, {}, state.time_of(AT, 0), n)
                assert answer.items[:first] == found.items[:first]
                assert set(answer.items) == set(found.items)


@pytest.mark.parametrize("raw", [b"", b"\xc1", msgspec.msgpack.encode(["u", None, "many"])])
async def test_a_request_in_another_form_gets_an_error_and_ends_nothing(
    nats_server: NatsServer, config: Path, view: View, raw: bytes
) -> None:
    async with answering(nats_server, fixture_log(50), config) as client:
        message = await client.request(candidates_subject(view.id), raw, timeout=5)
        assert "cannot be read" in (decode_answer(message.data).error or "")
        assert (await ask(client, view)).items


def test_every_source_has_its_name() -> None:
    assert len(set(SOURCES)) == len(SOURCES) < 255
