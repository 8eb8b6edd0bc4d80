"""A view changes while people are served: no answer fails or lacks anything, and in the end the new view answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from eddyline_features.view import load_view
from eddyline_runtime.alongside import end
from tests.e2e.test_up import CONFIG, EVENTS, eddyline, serving
from tests.support.system import System, a_system
from tests.support.waiting import wait_until

A_FEATURE = "\n  - {name: session_clicks, kind: count, by: session, of: click, half_lives: 1h}\n"
N_CLIENTS = 3
PER_SECOND = 15
"""Requests of each."""
FORMER = "feature-store-former"


@dataclass
class Traffic:
    """Answers in the order in which they came."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def degraded(self) -> list[dict[str, Any]]:
        return [answer for answer in self.answers if answer["degraded"]]


@asynccontextmanager
async def traffic(system: System, n_clients: int) -> AsyncIterator[Traffic]:
    """People ask and click all the time."""
    seen = Traffic()
    ranker = system.url("ranker")
    rng = random.Random(11)

    async def ask() -> None:
        async with system.client.post(
            f"{ranker}/v1/rank",
            json={"user": f"u{rng.randrange(20)}", "items": [f"i{k}" for k in rng.sample(range(25), 10)]},
        ) as answer:
            if answer.status != 200:
                seen.failed.append(await answer.text())
                return
            slate = await answer.json()
        seen.answers.append(slate)
        click = {
            "type": "interaction",
            "user": "u1",
            "slate": slate["slate"],
            "item": slate["items"][0]["item"],
        }
        async with system.client.post(system.url("ingest") + "/v1/events", json=click) as answer:
            assert answer.status == 200

    async def go_on() -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                await ask()
            except aiohttp.ClientError as error:
                seen.failed.append(repr(error))
            due += 1 / PER_SECOND
            await asyncio.sleep(due - loop.time())

    tasks = [asyncio.create_task(go_on()) for _ in range(n_clients)]
    try:
        yield seen
    finally:
        await end(tasks)


async def reload(system: System, *arguments: str) -> Result:
    """The command; in a thread, since it waits."""
    return await asyncio.to_thread(
        CliRunner().invoke, main, ["reload", "--data", str(system.data), *arguments]
    )


@pytest.mark.timeout(240)
async def test_a_feature_is_added_while_traffic_flows_and_no_answer_is_degraded(tmp_path: Path) -> None:
    config = tmp_path / "eddyline.yaml"
    declared = CONFIG.read_text()
    config.write_text(declared)
    old = load_view(config.read_text())
    async with a_system(tmp_path, config) as system:
        assert (await eddyline(system, "import", str(EVENTS))).returncode == 0
        await wait_until(lambda: serving(system), 60)

        same = await reload(system)
        assert same.exit_code == 0
        assert "is what runs already" in same.stdout

        config.write_text("view: [")
        wrong = await reload(system)
        assert wrong.exit_code == 2
        assert f"{config}:1:" in wrong.stderr

        config.write_text(declared.replace("\nlearning:", A_FEATURE + "\nlearning:"))
        new = load_view(config.read_text())
        assert len(new.columns) == len(old.columns) + 1
        store, trainer = system.pid("feature-store"), system.pid("trainer")
        async with traffic(system, N_CLIENTS) as seen:
            await wait_until(lambda: len(seen.answers) > 50)
            took = await reload(system, "--wait", "60")
            assert took.exit_code == 0, took.stderr
            assert f"models of {old.id} serve until it has one of its own" in took.stdout
            assert f"every answer comes from a model of {new.id}" in took.stdout
            n = len(seen.answers)
            await wait_until(lambda: len(seen.answers) > n + 50)
        assert not seen.failed
        assert not seen.degraded
        assert {answer["view"] for answer in seen.answers[:50]} == {old.id}
        assert {answer["view"] for answer in seen.answers[n:]} == {new.id}
        assert all(answer["model"] is not None for answer in seen.answers)

        state = system.state
        assert (state["view"], state["former_view"]) == (new.id, None)
        assert FORMER not in state["processes"]
        assert (system.pid("feature-store"), system.pid("trainer")) != (store, trainer)
