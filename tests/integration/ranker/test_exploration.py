"""A share of the people gets slates whose first places chance drew: said in the log, the same for a retry anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SHUFFLED, InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.off_policy.slates import SlateLog, Wanted
from eddyline_ranker.exploration import is_explored
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote
from tests.support.serving import (
    CONFIG,
    RankerClient,
    a_feature_store,
    a_ranker,
    fixture_log,
    fixture_view,
    inbox,
    make_inbox,
)
from tests.support.waiting import wait_until

VIEW = fixture_view()
AT = 1_900_000_000_000
ITEMS = [f"i{k}" for k in range(12)]


async def _have_features(*rankers: RankerClient) -> None:
    """Wait until the feature-store answers all of these: a store that has caught up has yet to open its ears."""

    async def they_do() -> bool:
        slates = [await each.rank(ITEMS, log=False) for each in rankers]
        slates += [await each.recommend(log=False) for each in rankers]
        return not any("features" in slate["degraded"] for slate in slates)

    await wait_until(they_do)


async def test_chosen_people_get_drawn_places_and_others_the_models_order(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(CONFIG.read_text() + "exploration: {share: 0.5, places: 4}\n")
    people = [f"u{k}" for k in range(40)]
    chosen = next(user for user in people if is_explored(user, 0.5))
    other = next(user for user in people if not is_explored(user, 0.5))
    bundle = a_bundle(VIEW.id, VIEW.columns)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, bundle)
        async with (
            a_feature_store(nats_server.url, fixture_log()) as store,
            a_ranker(nats_server.url, config=config, features_timeout_ms=5_000) as one,
            a_ranker(nats_server.url, config=config, features_timeout_ms=5_000) as two,
        ):
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: one.model == two.model == bundle.model)
            await _have_features(one, two)
            orders = set()
            for k in range(12):
                slate = await one.rank(ITEMS, user=chosen, request_id=f"r{k}")
                again = await two.rank(ITEMS, user=chosen, request_id=f"r{k}")
                assert [item["item"] for item in again["items"]] == [item["item"] for item in slate["items"]]
                best = sorted(slate["items"], key=lambda item: -item["score"])
                assert {item["item"] for item in slate["items"][:4]} == {item["item"] for item in best[:4]}
                assert slate["items"][4:] == best[4:]
                assert [item["propensity"] for item in slate["items"]] == [0.25] * 4 + [1.0] * 8
                orders.add(tuple(item["item"] for item in slate["items"]))
            assert len(orders) > 5
            # What is not logged teaches nobody anything: it is the model's order.
            unlogged = await one.rank(ITEMS, user=chosen, log=False)
            usual = await one.rank(ITEMS, user=other)
            for slate in (unlogged, usual):
                scores = [item["score"] for item in slate["items"]]
                assert scores == sorted(scores, reverse=True)

            async def all_logged() -> list[SlateServed]:
                events = [decode_event(raw) for raw in await inbox(client)]
                slates = [event for event in events if isinstance(event, SlateServed)]
                return slates if {slate.user for slate in slates} == {chosen, other} else []

            logged = await wait_until(all_logged)
            for slate in logged:
                assert slate.policy == (SHUFFLED if slate.user == chosen else "greedy")
                told = [item.propensity for item in slate.items]
                assert told == ([0.25] * 4 if slate.user == chosen else [1.0] * 4) + [1.0] * 8
                assert (slate.model, slate.candidates) == (bundle.model, ITEMS)


async def test_by_a_policy_everybody_gets_an_order_whose_chances_are_logged(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    bundle = a_bundle(VIEW.id, VIEW.columns)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, bundle)
        async with a_feature_store(nats_server.url, fixture_log()) as store:
            await wait_until(store.fold.caught_up.is_set)
            for policy in ("epsilon", "thompson", "plackett-luce"):
                config = tmp_path / f"{policy}.yaml"
                told = (
                    f"exploration: {{policy: {policy}, places: 4, epsilon: 0.5, temperature: 1, scale: 3}}\n"
                )
                config.write_text(CONFIG.read_text() + told)
                async with (
                    a_ranker(nats_server.url, config=config, features_timeout_ms=5_000) as one,
                    a_ranker(nats_server.url, config=config, features_timeout_ms=5_000) as two,
                ):
                    await wait_until(lambda: one.model == two.model == bundle.model)
                    await _have_features(one, two)
                    slates = [
                        await one.rank(ITEMS, request_id=f"{policy}-{k}", occurred_at=AT) for k in range(10)
                    ]
                    again = [
                        await two.rank(ITEMS, request_id=f"{policy}-{k}", occurred_at=AT) for k in range(10)
                    ]
                    assert [slate["items"] for slate in slates] == [slate["items"] for slate in again]
                    assert len({tuple(item["item"] for item in slate["items"]) for slate in slates}) > 3
                    names = {slate["slate"] for slate in slates}

                    async def all_logged(names: set[str] = names) -> list[SlateServed]:
                        events = [decode_event(raw) for raw in await inbox(client)]
                        found = [e for e in events if isinstance(e, SlateServed) and e.id in names]
                        return found if {slate.id for slate in found} == names else []

                    for slate in await wait_until(all_logged):
                        assert slate.policy == policy
                        assert all(0.0 < (item.propensity or 0.0) < 1.0 for item in slate.items[:4])
                        assert [item.propensity for item in slate.items[4:]] == [1.0] * 8
                        # Where each would stand by its score is told, so that the usual order can be judged, too.
                        by_score = [
                            place if i.by_score is None else i.by_score for place, i in enumerate(slate.items)
                        ]
                        scores = [item.score or 0.0 for item in slate.items]
                        assert sorted(by_score) == list(range(12))
                        assert [scores[k] for k in sorted(range(12), key=by_score.__getitem__)] == sorted(
                            scores, reverse=True
                        )


async def test_a_policy_gets_what_it_needs_to_know_of_each_item(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(CONFIG.read_text() + "exploration: {policy: thompson}\n")
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        async with (
            a_feature_store(nats_server.url, fixture_log()) as store,
            a_ranker(
                nats_server.url, config=config, features_timeout_ms=5_000, retrieval_timeout_ms=5_000
            ) as ranker,
        ):
            await wait_until(store.fold.caught_up.is_set)

            async def both() -> bool:
                slates = [await ranker.rank(ITEMS), await ranker.recommend(n=5)]
                return not any("features" in slate["degraded"] for slate in slates)

            await wait_until(both)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
        events = [decode_event(raw) for raw in await inbox(client)]
        drawn = [e for e in events if isinstance(e, SlateServed) and e.policy == "thompson"]
        assert {len(slate.items) for slate in drawn} == {5, len(ITEMS)}
        assert all(item.propensity for slate in drawn for item in slate.items)


@pytest.mark.parametrize("policy", ["epsilon", "thompson", "plackett-luce"])
async def test_recommendations_explore_all_candidates_and_tell_what_no_chance_is_worth(
    policy: str, tmp_path: Path, nats_server: NatsServer
) -> None:
    config = tmp_path / "eddyline.yaml"
    told = f"exploration: {{policy: {policy}, epsilon: 0.8, temperature: 2, scale: 3}}\n"
    config.write_text(CONFIG.read_text() + told)
    bundle = a_bundle(VIEW.id, VIEW.columns)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, bundle)
        async with (
            a_feature_store(nats_server.url, fixture_log()) as store,
            a_ranker(
                nats_server.url, config=config, features_timeout_ms=5_000, retrieval_timeout_ms=5_000
            ) as ranker,
        ):
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == bundle.model)
            await _have_features(ranker)
            slates = [
                await ranker.recommend(n=5, request_id=f"r{k}", user=f"u{k}", occurred_at=AT)
                for k in range(12)
            ]
            usual = await ranker.recommend(n=5, user="u1", occurred_at=AT, log=False)

            async def all_logged() -> list[SlateServed]:
                events = [decode_event(raw) for raw in await inbox(client)]
                found = [event for event in events if isinstance(event, SlateServed)]
                return found if len(found) == len(slates) else []

            logged = await wait_until(all_logged)
    assert {item["propensity"] for item in usual["items"]} == {1.0}
    assert {slate.policy for slate in logged} == {policy}
    by_score = [
        place if i.by_score is None else i.by_score for s in logged for place, i in enumerate(s.items)
    ]
    # Of some thirty candidates, not only those that would have been shown anyway.
    assert max(by_score) >= 5
    assert all(0.0 < (item.propensity or 0.0) < 1.0 for slate in logged for item in slate.items)
    log = SlateLog(VIEW, Wanted.of("greedy"))
    for k, slate in enumerate(logged):
        log.add(Logged(k + 1, slate.id or "", AT, AT, slate))
    later = AT + 2 * VIEW.label_window_ms
    log.add(Logged(99, "end", later, later, InteractionRecorded(id="end", user="x", item="i1")))
    rows, target = log.finish()
    assert (rows.n_units, log.left_out) == (12, {})
    weights = target.probabilities(rows) / rows.propensities
    assert ((weights > 0.0) == (rows.choices == rows.places)).all()
