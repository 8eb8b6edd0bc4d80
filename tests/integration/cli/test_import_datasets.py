"""Folders of other systems through a real ingest: what the dry run counts is what the log then holds, once."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from eddyline_cli.servers.nats_server import NatsServer
from tests.support.data import shared_data
from tests.support.inbox import a_log_writer, an_ingest

FLAGS = "|".join(["0"] * 18 + ["1"])


def movielens_100k(folder: Path) -> None:
    folder.mkdir()
    (folder / "u.item").write_bytes(
        f"1|Toy Story (1995)|01-Jan-1995||x|{FLAGS}\n2|Caf\xe9 (1990)|x||x|{FLAGS}\n3|broken\n".encode(
            "latin-1"
        )
    )
    (folder / "u.user").write_text("1|24|M|technician|85711\n")
    (folder / "u.data").write_text(
        "1\t2\t3\t881250949\n1\t1\tx\t881250940\n1\t1\t5\t881250940\n1\t1\t5\t881250940\n"
    )


def gorse_export(folder: Path) -> None:
    folder.mkdir()
    at = "2024-01-02T00:00:00Z"
    (folder / "items.jsonl").write_text(
        json.dumps({"ItemId": "i1", "Timestamp": at, "Labels": {"a": ["b"]}}) + "\n"
    )
    with gzip.open(folder / "users.jsonl.gz", "wt") as users:
        users.write(json.dumps({"UserId": "u1", "Labels": None}) + "\n")
    told = {"FeedbackType": "like", "UserId": "u1", "ItemId": "i1", "Timestamp": at}
    (folder / "feedback.jsonl").write_text(
        json.dumps(told) + "\nno json\n" + json.dumps({**told, "Timestamp": None})
    )


async def told_and_done(
    path: Path, nats_server: NatsServer, database_url: str, work: Path
) -> tuple[Result, Result, Result, list[str]]:
    """A dry run, the import, the import again, and the payloads of the log."""
    async with (
        a_log_writer(nats_server.url, database_url) as log_writer,
        an_ingest(nats_server.url) as ingest,
    ):
        where = ("--url", ingest.url, "--log-url", log_writer.url, "--data", str(work / "none"))

        async def run(*more: str) -> Result:
            return await asyncio.to_thread(CliRunner().invoke, main, ["import", str(path), *where, *more])

        dry, first, second = await run("--dry-run"), await run(), await run()
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT payload FROM event_log ORDER BY sequence")
    await connection.close()
    return dry, first, second, [row["payload"] for row in rows]


async def test_movielens_100k(nats_server: NatsServer, database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "ml-100k"
    movielens_100k(folder)
    dry, first, second, log = await told_and_done(folder, nats_server, database_url, tmp_path)
    assert (dry.exit_code, first.exit_code, second.exit_code) == (1, 1, 1), first.output
    assert "6 events would be taken" in dry.output
    assert "6 accepted, 0 already there" in first.output
    assert "0 accepted, 6 already there" in second.output
    for output in (dry.output, first.output):
        assert "rating is no number (line 2)" in output
        assert "(line 3)" in output
    events = [json.loads(payload) for payload in log]
    assert [event["type"] for event in events] == [
        "item",
        "item",
        "user",
        "interaction",
        "interaction",
        "interaction",
    ]
    assert events[1]["fields"]["title"] == "Café"
    assert [event["occurred_at"] for event in events[3:]] == sorted(
        event["occurred_at"] for event in events[3:]
    )


async def test_gorse(nats_server: NatsServer, database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "gorse"
    gorse_export(folder)
    dry, first, second, log = await told_and_done(folder, nats_server, database_url, tmp_path)
    assert "3 events would be taken" in dry.output
    assert "3 accepted, 0 already there" in first.output
    assert "0 accepted, 3 already there" in second.output
    assert "no Timestamp" in first.output
    assert [json.loads(payload)["type"] for payload in log] == ["item", "user", "interaction"]
    # Each file by itself is known too.
    alone = CliRunner().invoke(main, ["import", str(folder / "feedback.jsonl"), "--dry-run"])
    assert "interaction 1" in alone.output


def test_a_file_whose_first_line_is_broken_is_not_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "gorse"
    gorse_export(folder)
    items = folder / "items.jsonl"
    items.write_text("no json\n" + items.read_text())
    told = CliRunner().invoke(main, ["import", str(folder), "--dry-run"])
    assert told.exit_code == 1
    assert "3 events would be taken" in told.output
    assert "items.jsonl: 1 row: not a JSON object" in told.output


@pytest.mark.data
async def test_all_of_movielens_latest(nats_server: NatsServer, database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    shutil.copytree(shared_data("ml-latest-small"), folder)
    dry, first, second, log = await told_and_done(folder, nats_server, database_url, tmp_path)
    assert (dry.exit_code, first.exit_code, second.exit_code) == (0, 0, 0), first.output
    assert "110,578 events would be taken" in dry.output
    assert "110,578 accepted, 0 already there" in first.output
    assert "0 accepted, 110,578 already there" in second.output
    assert "tags.csv is not read" in dry.output
    assert len(log) == 110_578


async def test_a_dry_run_counts_what_was_sent_twice_and_what_ingest_would_refuse(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    click = b'{"type":"interaction","id":"e1","user":"u","item":"i"}\n'
    path.write_bytes(
        click * 2 + b'{"type":"parcel","id":"e2"}\n' + b'{"event":"item","item":"m","id":"e3"}\n'
    )
    told = CliRunner().invoke(main, ["import", str(path), "--dry-run"])
    assert told.exit_code == 1
    assert "2 events would be taken" in told.output
    assert "duplicates       1" in told.output
    assert f"{path}:3: refused" in told.output


def test_a_folder_of_something_else_and_a_packed_one_are_refused_with_a_way_out(tmp_path: Path) -> None:
    packed = tmp_path / "ml-100k.zip"
    packed.write_bytes(b"PK")
    for path, way_out in ((tmp_path, "name the files in it"), (packed, "unpack it")):
        told = CliRunner().invoke(main, ["import", str(path), "--dry-run"])
        assert told.exit_code != 0
        assert way_out in told.output
    told = CliRunner().invoke(main, ["import", "--format", "gorse", str(tmp_path), "--dry-run"])
    assert "items.jsonl, users.jsonl or feedback.jsonl" in told.output
