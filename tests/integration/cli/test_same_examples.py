"""`evaluate FILE`, and a trainer after `import FILE`, learn from the very same examples, to the bit."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from eddyline_cli.commands.event_files import CsvOptions, opened
from eddyline_cli.evaluating.history import History
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.prequential import Evaluation, Prequential
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter
from tests.support.data import shared_data
from tests.support.inbox import a_log_writer, an_ingest
from tests.support.replaying import catch_up, replayed
from tests.support.serving import DATA, fixture_view
from tests.support.system import EDDYLINE
from tests.support.training import a_trainer


def evaluation_of(path: Path, view: View, share: float = 0.5) -> Evaluation:
    history = History(opened([str(path)], CsvOptions()))
    for _ in history.look():
        pass
    run = Prequential(
        view,
        State(view),
        Warmup.share(share, history.found.slates),
        seed=1,
        now=time.perf_counter,
        cpu=time.process_time,
        meter=lambda: Meter(Energy()),
    )
    for batch in history.batches():
        run.read(batch)
    return run.finish()


@asynccontextmanager
async def imported(path: Path, nats_url: str, database_url: str, folder: Path) -> AsyncIterator[PostgresLog]:
    """The log after `eddyline import`, through a real ingest and log writer."""
    async with a_log_writer(nats_url, database_url) as writer, an_ingest(nats_url) as ingest:
        process = await asyncio.create_subprocess_exec(
            EDDYLINE,
            "import",
            str(path),
            "--url",
            ingest.url,
            "--log-url",
            writer.url,
            cwd=folder,
            stdout=sys.stderr,
        )
        assert await process.wait() in (0, 1)
        async with database(database_url, name="test") as pool:
            yield PostgresLog(pool)


def quiet(view: View) -> View:
    """Hardly a model: what is compared is what they would learn from."""
    learning = dataclasses.replace(view.learning, trees=1, learn_every=10**6)
    return dataclasses.replace(view, learning=learning)


LATE = {"slate-0050", "slate-0060", "slate-0061"}


def with_late_slates(lines: list[bytes]) -> Iterable[bytes]:
    """Three slates and their clicks arrive much later than they happened; some lines name no event, or one twice."""
    events = [decode_event(line) for line in lines]

    def is_late(index: int) -> bool:
        event = events[index]
        if isinstance(event, SlateServed):
            return event.id in LATE
        return isinstance(event, InteractionRecorded) and event.slate in LATE

    held = [index for index in range(len(lines)) if is_late(index)]
    assert len(held) > 3
    for index, line in enumerate(lines):
        if index not in held:
            yield line
        if index == 450:
            yield from (lines[late_one] for late_one in held)
            yield b"{no event"
            yield lines[10]
            # Without an id: named alike by both.
            yield b'{"type":"interaction","occurred_at":1736157000000,"user":"u3","item":"i3","action":"click"}'


async def test_a_file_and_its_import_give_the_same_examples(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    path.write_bytes(b"\n".join(with_late_slates(lines)) + b"\n")
    view = quiet(fixture_view())
    found = evaluation_of(path, view)
    async with imported(path, nats_server.url, database_url, tmp_path) as log:
        learner = await replayed(log, view, await log.last())
    assert learner.digest == found.digest
    assert set(found.slates.ids) >= LATE
    without = [line for line in lines if not any(slate.encode() in line for slate in LATE)]
    path.write_bytes(b"\n".join(without) + b"\n")
    assert evaluation_of(path, view).digest != found.digest, "the late ones are among them"


async def test_so_does_a_trainer_that_replays_the_log_after_the_import(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(with_late_slates((DATA / "events.jsonl").read_bytes().splitlines())) + b"\n")
    found = evaluation_of(path, fixture_view())
    async with imported(path, nats_server.url, database_url, tmp_path) as log:
        async with a_trainer(nats_server.url, database_url) as trainer:
            await asyncio.wait_for(trainer.training.caught_up.wait(), 60)
            learner = trainer.training.learner
            assert learner.champion is not None
            # Its fold rests until the next cut; what is decided already is told when it moves.
            await catch_up(learner, log)
            assert learner.digest == found.digest


@pytest.mark.data
async def test_ranklens_and_its_import_give_the_same_examples(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    path = shared_data("ranklens/events.jsonl.gz")
    view = quiet(load_view((DATA.parents[1] / "examples" / "ranklens.yaml").read_text()))
    found = evaluation_of(path, view)
    async with imported(path, nats_server.url, database_url, tmp_path) as log:
        learner = await replayed(log, view, await log.last())
    assert learner.digest == found.digest
    assert learner.examples.joiner.slates["used"] > 6_000
