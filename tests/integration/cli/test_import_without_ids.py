"""``eddyline import`` of events without ids: what counts as the same event, and that people are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from eddyline_cli.main import main
from eddyline_cli.servers.nats_server import NatsServer
from tests.support.inbox import a_log_writer, an_ingest, rows_of

WARNING = "neither an id nor a time"
CLICK = '{"type":"interaction","user":"u","item":"i"%s}\n'


@pytest.mark.parametrize(
    ("more", "n_warned"),
    [
        ("", 3),
        (',"occurred_at":1736200000000', 0),
        (',"id":"e1"', 0),
    ],
)
async def test_the_same_line_in_two_files_counts_once_and_without_a_time_that_is_said_once(
    nats_server: NatsServer, database_url: str, tmp_path: Path, more: str, n_warned: int
) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(CLICK % more)
    two.write_text(2 * (CLICK % more))
    async with (
        a_log_writer(nats_server.url, database_url) as log_writer,
        an_ingest(nats_server.url) as ingest,
        rows_of(database_url) as rows,
    ):
        where = ("--url", ingest.url, "--log-url", log_writer.url, "--data", str(tmp_path / "none"))
        arguments = ["import", str(one), str(two), *where]
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
        assert result.exit_code == 0, result.output
        # The second of the same file is an event of its own, unless it says that it is not.
        assert await rows.count() == (1 if "id" in more else 2)
    told = " ".join(result.output.split())
    assert told.count(WARNING) == (1 if n_warned else 0)
    assert (f"warning: {n_warned} events have" in told) == bool(n_warned)


def test_the_help_says_what_counts_once() -> None:
    told = " ".join(CliRunner().invoke(main, ["import", "--help"]).output.split())
    assert "the same line without an id counts once even if it is in two files" in told
