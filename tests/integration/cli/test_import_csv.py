"""``eddyline import`` of CSV through a real ingest into a real log: each row once, in the order of time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import InteractionRecorded, ItemUpserted
from tests.support.inbox import a_log_writer, an_ingest

RATINGS = (
    "user,film,stars,at\nu2,f1,3,1000000300\nu1,f1,4.5,1000000100\nu1,,4,1000000150\nu1,f2,1,1000000200\n"
)
COLUMNS = ("--user", "user", "--item", "film", "--value", "stars", "--time", "at")


async def test_a_file_that_has_grown_is_imported_again_and_nothing_counts_twice(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    ratings, films = tmp_path / "ratings.csv", tmp_path / "films.csv"
    ratings.write_text(RATINGS)
    films.write_text("film,kind\nf1,war|love\nf2,love\n")
    async with (
        a_log_writer(nats_server.url, database_url) as log_writer,
        an_ingest(nats_server.url) as ingest,
    ):

        async def imported(*more: str) -> Result:
            where = ("--url", ingest.url, "--log-url", log_writer.url, "--data", str(tmp_path / "none"))
            arguments = ["import", str(ratings), *COLUMNS, *where, *more]
            return await asyncio.to_thread(CliRunner().invoke, main, arguments)

        first = await imported("--items", str(films))
        assert first.exit_code == 1, first.output
        assert "5 accepted, 0 already there, 0 refused" in first.output
        assert "1 row: no film (line 4)" in first.output
        assert "at: seconds since 1970" in first.output
        ratings.write_text(
            RATINGS.replace("u1,,4,1000000150\n", "") + "u1,f1,4.5,1000000100\nu3,f1,2,1000000400\n"
        )
        again = await imported("--items", str(films))
        assert again.exit_code == 0, again.output
        assert "2 accepted, 5 already there, 0 refused" in again.output

    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT payload FROM event_log ORDER BY sequence")
    await connection.close()
    events = [decode_event(row["payload"].encode()) for row in rows]
    assert [event.fields for event in events[:2] if isinstance(event, ItemUpserted)] == [
        {"kind": ["war", "love"]},
        {"kind": ["love"]},
    ]
    rated = [
        (event.user, event.item, event.action, event.value)
        for event in events
        if isinstance(event, InteractionRecorded)
    ]
    assert rated == [
        ("u1", "f1", "rating", 4.5),
        ("u1", "f2", "rating", 1.0),
        ("u2", "f1", "rating", 3.0),
        ("u1", "f1", "rating", 4.5),
        ("u3", "f1", "rating", 2.0),
    ]
