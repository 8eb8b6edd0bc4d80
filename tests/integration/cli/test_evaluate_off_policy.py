"""`eddyline evaluate --protocol off-policy` of a system that runs: what another order of its slates is worth."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from eddyline_contracts.events import Event
from tests.support.builders import a_click, a_slate
from tests.support.database_log import writing
from tests.support.serving import CONFIG
from tests.unit.learning.off_policy.test_slates import SERVED, shown

LONG_AGO = 1_700_000_000_000


async def evaluate(database_url: str, *arguments: object) -> Result:
    """In a thread, since the command has an event loop of its own."""
    return await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ["evaluate", "--protocol", "off-policy", *map(str, arguments)],
        env={"EDDYLINE_DATABASE_URL": database_url},
    )


async def test_the_slates_that_the_ranker_logged_tell_what_their_order_by_score_is_worth(
    tmp_path: Path, database_url: str
) -> None:
    events: list[Event] = []
    for k in range(100):
        ranks = [0, 1] if k % 2 else [1, 0]
        events.append(a_slate(shown("i", ranks, [0.5, 0.5]), user=f"u{k}", id=f"s{k}", **SERVED))
        if k % 2:
            events.append(a_click("i0", user=f"u{k}", slate=f"s{k}"))
    events += [a_click("i0", user=f"x{k}") for k in range(200)]
    lines = [
        json.dumps(msgspec.to_builtins(event) | {"occurred_at": LONG_AGO + at * 60_000}).encode()
        for at, event in enumerate(events)
    ]
    here = ("--data", tmp_path)
    async with writing(database_url) as log:
        await log.append(lines)
    found = await evaluate(database_url, *here)
    assert found.exit_code == 1
    assert "--config" in found.stderr
    found = await evaluate(database_url, *here, "--config", CONFIG, "--json")
    assert found.exit_code == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["events"], told["scored"], told["target"]) == (len(events), 100, "greedy")
    assert told["estimates"]["snips"]["mean"] == pytest.approx(1.0)
    assert told["estimates"]["as_logged"]["mean"] == pytest.approx(0.5)
    found = await evaluate(database_url, *here, "--config", CONFIG, "--target", "nobody")
    assert found.exit_code == 1
    assert "a policy is expected" in found.stderr
