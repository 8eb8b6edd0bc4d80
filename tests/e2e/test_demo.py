"""`eddyline demo` ends by itself with figures that were measured, and leaves nothing; ``--keep`` leaves it up."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import aiohttp
import psutil
import pytest

from eddyline_cli.data_folder import read_state
from tests.support.system import EDDYLINE
from tests.support.waiting import wait_until

FIXTURE = Path(__file__).parents[1] / "data" / "events.jsonl"
N_EVENTS = len(FIXTURE.read_bytes().splitlines())


def started(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """A demo whose temporary folder lies in the test's own; SIGINT is ignored at first, as a script's `&` does."""
    return subprocess.Popen(
        [EDDYLINE, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )


def leftovers(tmp_path: Path) -> list[str]:
    """Everything that still runs and was started below the test: all of it inherited the folder's name."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("TMPDIR") == str(tmp_path):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.Error:
            continue
    return found


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("eddyline-demo-*"))


async def test_the_demo_measures_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # A shop whose history has one bad line: it is refused and counted, and the rest is judged all the same.
    events, summary = tmp_path / "shop.jsonl", tmp_path / "summary.json"
    events.write_bytes(FIXTURE.read_bytes() + b'{"type":"parcel","id":"p1"}\n')
    config = FIXTURE.with_name("eddyline.yaml")
    demo = started(tmp_path, "--events", str(events), "--config", str(config), "--summary", str(summary))
    said, _ = await asyncio.to_thread(demo.communicate)
    assert demo.returncode == 0, said
    told = json.loads(summary.read_text())
    assert told["events"] == {"accepted": N_EVENTS, "logged": N_EVENTS, "refused": 1}
    assert told["slates"] == 200
    assert told["promotions"] >= 1
    # Thirty judged slates say nothing about quality: the tests of `eddyline evaluate` do.
    assert 0.0 < told["ndcg@10"] <= 1.0
    assert set(told["baselines"]) == {"shown_order", "item_rate"}
    for times in ("event_to_slate_ms", "rank_ms"):
        assert 0.0 < told[times]["p50"] <= told[times]["p99"]
    fresh = told["freshness"]
    for times in ("event_to_log_ms", "event_to_fold_ms", "event_to_served_model_s"):
        assert 0.0 < fresh[times]["p50"] <= fresh[times]["p99"]
    assert fresh["decisions"]["promote"] == told["promotions"]
    assert fresh["cycles"]["made"] >= 1
    assert fresh["cycle_seconds"]["train"] > 0.0
    assert fresh["model_age_s"] >= 0.0
    assert told["seconds"] > 0
    assert f"{N_EVENTS:,} accepted, {N_EVENTS:,} in the log, 1 refused" in re.sub(r"\s+", " ", said)
    assert folders(tmp_path) == []
    assert leftovers(tmp_path) == []


async def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = started(tmp_path)
    await wait_until(lambda: any((f / "state.json").exists() for f in folders(tmp_path)), 60)
    assert len(leftovers(tmp_path)) >= 3
    demo.send_signal(signal.SIGINT)
    said, _ = await asyncio.to_thread(demo.communicate)
    assert demo.returncode == 130, said
    assert leftovers(tmp_path) == []
    assert folders(tmp_path) == []


async def test_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    demo = started(tmp_path)
    await wait_until(lambda: any((f / "state.json").exists() for f in folders(tmp_path)), 60)
    assert len(leftovers(tmp_path)) >= 3
    demo.kill()
    await asyncio.to_thread(demo.communicate)
    await wait_until(lambda: leftovers(tmp_path) == [], 60)


async def test_a_demo_that_is_kept_answers_until_it_is_taken_down(tmp_path: Path) -> None:
    demo = started(tmp_path, "--keep")
    said, _ = await asyncio.to_thread(demo.communicate)
    assert demo.returncode == 0, said
    (folder,) = folders(tmp_path)
    assert f"eddyline down --data {folder}" in said
    state = read_state(folder)
    assert state is not None
    try:
        body = {"user": "u1", "items": ["i1", "i2", "i3"]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{state.url('ranker')}/v1/rank", json=body) as answer,
        ):
            assert answer.status == 200
            assert len((await answer.json())["items"]) == 3
    finally:
        down = await asyncio.create_subprocess_exec(EDDYLINE, "down", "--data", str(folder))
        assert await down.wait() == 0
    assert leftovers(tmp_path) == []
    shutil.rmtree(folder)


@pytest.mark.parametrize("options", [["--events", "none.jsonl"], ["--config", "none.yaml"]])
def test_a_file_that_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, options: list[str]
) -> None:
    demo = started(tmp_path, *options)
    said, _ = demo.communicate()
    assert demo.returncode == 2
    assert options[1] in said
    assert folders(tmp_path) == []
