"""Refused events are read from the stream where they are kept, newest last, whatever bytes they are."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import nats
import pytest
from click.testing import CliRunner

from eddyline_cli.commands.rejected import command
from eddyline_cli.refused_events import BusAway, newest_refused
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.processes import free_port
from eddyline_contracts.subjects import ORIGIN, REASON, REASON_CODE, REJECTED_STREAM, REJECTED_SUBJECTS


async def refuse(url: str, *payloads: bytes) -> None:
    """Put events into the stream as the log writer does."""
    client = await nats.connect(url)
    js = client.jetstream()
    await js.add_stream(name=REJECTED_STREAM, subjects=[REJECTED_SUBJECTS])
    for n, payload in enumerate(payloads):
        headers = {REASON: quote(f"reason {n}: ö"), REASON_CODE: "malformed", ORIGIN: "events.item"}
        await js.publish("rejected.malformed", payload, headers=headers)
    await client.close()


async def test_the_newest_come_last_and_no_more_than_asked_for(nats_server: NatsServer) -> None:
    await refuse(nats_server.url, *(b"%d" % n for n in range(130)))
    found = [event async for event in newest_refused(nats_server.url, 120)]
    assert [event.payload for event in found] == [b"%d" % n for n in range(10, 130)]
    assert (found[0].detail, found[0].code, found[0].origin) == ("reason 10: ö", "malformed", "events.item")


async def test_where_nothing_was_ever_refused_there_is_nothing(nats_server: NatsServer) -> None:
    assert [event async for event in newest_refused(nats_server.url, 5)] == []
    # As soon as a log writer was there, so is the stream, and nothing is in it.
    await refuse(nats_server.url)
    shown = await asyncio.to_thread(CliRunner().invoke, command, ["--nats-url", nats_server.url])
    assert (shown.exit_code, shown.output) == (0, "nothing was refused\n"), shown.output


async def test_an_absent_bus_is_named() -> None:
    url = f"nats://127.0.0.1:{free_port()}"
    with pytest.raises(BusAway, match=url):
        [event async for event in newest_refused(url, 5)]


async def test_the_command_shows_payloads_that_are_no_text(nats_server: NatsServer) -> None:
    await refuse(nats_server.url, b"\xff\x00\x1b[31m" + b"x" * 500, b'{"type":"nothing"}')
    arguments = ["--nats-url", nats_server.url]
    shown = await asyncio.to_thread(CliRunner().invoke, command, arguments)
    assert shown.exit_code == 0, shown.output
    assert r"\xff\x00\x1b[31m" in shown.output
    assert "(507 bytes)" in shown.output
    assert "\x1b" not in shown.output
    plain = await asyncio.to_thread(CliRunner().invoke, command, [*arguments, "--json"])
    told = [json.loads(line) for line in plain.output.splitlines()]
    assert [t["detail"] for t in told] == ["reason 0: ö", "reason 1: ö"]
    assert told[1]["payload"] == '{"type":"nothing"}'
