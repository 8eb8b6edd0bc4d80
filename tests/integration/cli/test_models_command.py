"""`eddyline models` shows what the trainer knows, and decides by hand through it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import numpy as np

from eddyline_cli.data_folder import ProcessState, RunState, write_state
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.supervisor.data_lock import locked
from eddyline_runtime.bus import connected
from tests.support.database_log import writing
from tests.support.outside_models import a_network, as_bytes
from tests.support.serving import CONFIG, fixture_view, make_inbox
from tests.support.system import EDDYLINE
from tests.support.training import LINES, a_trainer, rows_of
from tests.support.waiting import wait_until


async def eddyline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a data folder, which may be named before or after what is to be done."""
    return await asyncio.to_thread(
        subprocess.run,
        [EDDYLINE, *arguments, "--data", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_models_are_listed_promoted_and_rolled_back(
    tmp_path: Path, nats_server: NatsServer, database_url: str
) -> None:
    said = await eddyline(tmp_path, "models")
    assert said.returncode == 1
    assert "eddyline up" in said.stderr
    async with connected(nats_server.url, "test") as bus, writing(database_url, bus) as log:
        await make_inbox(bus)
        await log.append(LINES)
        async with a_trainer(nats_server.url, database_url) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            with locked(tmp_path):
                process = ProcessState(
                    pid=os.getpid(), url=trainer.url, phase="ready", restarts=0, last_exit=None, log=""
                )
                state = RunState(
                    pid=os.getpid(),
                    phase="ready",
                    started_at=0,
                    config=str(CONFIG),
                    view="fixture",
                    nats_url=nats_server.url,
                    database_url=database_url,
                    processes={"trainer": process},
                )
                write_state(tmp_path, state)
                rows = await rows_of(database_url)
                (champion,) = [row["model"] for row in rows if row["role"] == "champion"]
                other = rows[0]["model"] if rows[0]["model"] != champion else rows[1]["model"]

                listed = await eddyline(tmp_path, "models")
                assert listed.returncode == 0, listed.stderr
                for row in rows:
                    assert row["model"][:12] in listed.stdout
                assert "promote" in listed.stdout
                models, story = listed.stdout.split("Who served")
                assert len(models.rstrip().splitlines()) == 1 + len(rows)
                assert "not worse, on slates that neither was trained on" in story
                told = json.loads((await eddyline(tmp_path, "models", "--json", "--limit", "1")).stdout)
                assert {name: len(found) for name, found in told.items()} == (
                    {"models": 1, "changes": 1, "decisions": 1, "cycles": 1}
                )

                done = await eddyline(tmp_path, "models", "promote", other[:10])
                assert (done.returncode, done.stdout) == (
                    0,
                    f"champion: {other}, in place of {champion[:12]}\n",
                )
                done = await eddyline(tmp_path, "models", "rollback")
                assert (done.returncode, done.stdout) == (
                    0,
                    f"champion: {champion}, in place of {other[:12]}\n",
                )
                listed = await eddyline(tmp_path, "models")
                assert "roll back by hand" in listed.stdout
                # The champion may be pinned, and released; to say it twice is said.
                for arguments, said in (
                    (("--pin",), f"champion: {champion}"),
                    (("--pin",), "serves already, and is pinned"),
                    ((), f"champion: {champion}"),
                ):
                    done = await eddyline(tmp_path, "models", "promote", champion[:10], *arguments)
                    assert said in done.stdout + done.stderr
                story = (await eddyline(tmp_path, "models")).stdout.split("Who served")[1]
                hows = ["release by hand", "pin by hand", "roll back by hand", "promote by hand"]
                places = [story.index(how) for how in hows]
                assert places == sorted(places), "the newest first"
                refused = await eddyline(tmp_path, "models", "promote", champion)
                assert refused.returncode == 1
                assert "serves already" in refused.stderr
                columns = await eddyline(tmp_path, "models", "columns")
                names = columns.stdout.splitlines()
                assert names == fixture_view().columns
                assert f"{len(names)} columns" in columns.stderr
                made = tmp_path / "examples.npz"
                assert (
                    await eddyline(tmp_path, "models", "examples", str(made), "--slates", "30")
                ).returncode == 0
                with np.load(made) as told:
                    assert told["vectors"].shape == (told["sizes"].sum(), len(names))
                    assert len(told["labels"]) == len(told["positions"]) == len(told["vectors"])
                    assert (len(told["sizes"]), told["columns"].tolist()) == (30, names)
                file = tmp_path / "towers.onnx"
                file.write_bytes(as_bytes(a_network(np.ones(len(names), np.float32))))
                taken = await eddyline(tmp_path, "models", "add", str(file), "--note", "by hand")
                assert (taken.returncode, taken.stdout.split()[:1]) == (0, ["taken:"]), taken.stderr
                listed = await eddyline(tmp_path, "models")
                assert "outside: towers" in listed.stdout
                file.write_bytes(as_bytes(a_network(np.ones(3, np.float32))))
                refused = await eddyline(tmp_path, "models", "add", str(file))
                assert refused.returncode == 1
                assert "takes 3 columns" in refused.stderr
                refused = await eddyline(tmp_path, "models", "promote", "no/name")
                assert refused.returncode == 1
                assert "is no model's name" in refused.stderr
