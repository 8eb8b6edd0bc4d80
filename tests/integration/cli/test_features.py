"""`eddyline features` on the log in PostgreSQL: what a slate was ranked by, to the bit, long after it was served."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
from click.testing import CliRunner
from nats.aio.client import Client

from eddyline_cli.main import main
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.travelling.place_in_log import spelled_time
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_runtime.bus import connected
from tests.support.database_log import writing
from tests.support.serving import CONFIG, a_feature_store, a_ranker, fixture_view, inbox, make_inbox
from tests.support.training import LINES
from tests.support.waiting import wait_until
from tests.support.wiretap import tapped

N_SLATES = 12


async def eddyline_features(database_url: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command; in a thread, since it has an event loop of its own."""
    found = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ["features", "--config", str(CONFIG), *arguments],
        env={"EDDYLINE_DATABASE_URL": database_url},
    )
    return found.exit_code, found.stdout, found.stderr


def as_bytes(told: dict[str, Any]) -> bytes:
    rows = [[np.nan if v is None else v for v in row] for row in told["vectors"]]
    return np.array(rows, "<f4").tobytes()


async def test_the_vectors_of_a_logged_slate_are_those_that_were_served_to_the_bit(
    database_url: str, nats_server: NatsServer
) -> None:
    url = nats_server.url
    async with (
        connected(url, "test") as client,
        database(database_url, name="test") as pool,
        writing(database_url, client) as log,
        a_feature_store(url, PushedLog(PostgresLog(pool), client)),
        a_ranker(url) as ranker,
        tapped(url, fixture_view().id) as heard,
    ):
        await make_inbox(client)
        for first in range(0, N_SLATES * 40, 40):
            last = await log.append(LINES[first : first + 40])
            # No `occurred_at`: it is read at the clock of the store, as most requests are.
            slate = await ranker.rank(
                [{"item": f"i{k}", "fields": {"relevancy": k / 7}} for k in range(9, 0, -1)],
                user=f"u{first % 7}",
                session="s1",
                context={"n": first, "device": "phone"},
                min_sequence=last,
            )
            assert "features" not in slate["degraded"]
        slates = await _stored(client)
        await log.append(LINES[N_SLATES * 40 :] + slates)
        served = {r.context["n"]: (r, a) for r, a in heard if "n" in r.context}
        assert len(served) == N_SLATES

        for raw in slates[:: N_SLATES // 3]:
            told = json.loads(raw)
            request, answer = served[told["context"]["n"]]
            code, out, err = await eddyline_features(database_url, "--slate", told["id"], "--json")
            assert code == 0, err
            found = json.loads(out)
            assert [one["item"] for one in found["items"]] == request.items
            assert (found["sequence"], found["ranked_at"]) == (answer.sequence, answer.ranked_at)
            assert as_bytes(found) == answer.vectors

        # The same without the slate's help, by what it says of itself.
        by_hand = {
            "--user": told["user"],
            "--session": "s1",
            "--items": json.dumps(
                [{"item": f"i{k}", "fields": {"relevancy": k / 7}} for k in range(9, 0, -1)]
            ),
            "--context": json.dumps(told["context"]),
            "--at": str(told["features_sequence"]),
            "--ranked-at": spelled_time(told["ranked_at"]),
        }
        code, out, err = await eddyline_features(
            database_url, *(word for pair in by_hand.items() for word in pair), "--json"
        )
        assert code == 0, err
        assert as_bytes(json.loads(out)) == answer.vectors

        who = ("--user", "u1", "--items", "i1")
        code, out, _ = await eddyline_features(database_url, *who)
        newest = len(LINES) + N_SLATES
        assert f"sequence  {newest}, recorded " in out
        assert f"folded {newest:,} events in" in out
        # A time is the last place that was recorded by then: batches of this log have one time each.
        _, out, _ = await eddyline_features(database_url, *who, "--at", "60", "--json")
        in_second = json.loads(out)
        at = spelled_time(in_second["recorded_at"])
        _, out, _ = await eddyline_features(database_url, *who, "--at", at, "--json")
        found = json.loads(out)
        assert (found["sequence"], found["events"]) == (80, 80)
        assert found["ranked_at"] == found["recorded_at"] == in_second["recorded_at"]
        _, out, _ = await eddyline_features(database_url, *who, "--at", "2001-01-01")
        assert "nothing is in the log up to this place" in out
        code, _, err = await eddyline_features(database_url, *who, "--at", str(newest + 1))
        assert code == 1
        assert "the log ends at" in err
        code, _, err = await eddyline_features(database_url, "--slate", "nobody-showed-it")
        assert code == 1
        assert "there is no slate nobody-showed-it" in err
    code, _, err = await eddyline_features("postgresql://postgres@127.0.0.1:1/x", *who)
    assert code == 1
    assert "no database to read at" in err


async def _stored(client: Client) -> list[bytes]:
    async def all_are() -> list[bytes]:
        found = await inbox(client)
        return found if len(found) == N_SLATES else []

    found: list[bytes] = await wait_until(all_are)
    return found
