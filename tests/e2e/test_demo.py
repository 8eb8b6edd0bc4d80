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
from typing import IO

import aiohttp
import psutil
import pytest

from eddyline_cli.data_folder import read_state
from tests.support.pages import examined, figure_of, words_of
from tests.support.system import EDDYLINE
from tests.support.waiting import wait_until

FIXTURE = Path(__file__).parents[1] / "data" / "events.jsonl"
N_EVENTS = len(FIXTURE.read_bytes().splitlines())


def started(tmp_path: Path, *arguments: str, to: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """A demo whose temporary folder lies in the test's own; SIGINT is ignored at first, as a script's `&` does."""
    return subprocess.Popen(
        [EDDYLINE, "demo", *arguments],
        stdout=to,
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


async def test_made_up_people_are_counted_and_the_frozen_model_beside_them(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    page = tmp_path / "page.html"
    demo = started(
        tmp_path, "--minutes", "0.5", "--rate", "30", "--summary", str(summary), "--report", str(page)
    )
    said, _ = await asyncio.to_thread(demo.communicate)
    assert demo.returncode == 0, said
    told = json.loads(summary.read_text())
    # Half a minute is too short to recover: that it does is measured, not tested. Here it is counted rightly.
    rate, error, lists = told["click_rate"], told["click_rate_se"], told["lists"]
    for name in ("before", "lowest", "recovered", "frozen"):
        assert 0.0 <= rate[name] <= 1.0
        assert error[name] is not None
        assert lists[name] > 0
    assert told["scale"]["random_order"] < told["scale"]["best_order"]
    assert told["lists_shown"] > 500
    assert told["events_acknowledged"] > 2_000
    assert told["freshness"]["decisions"]["wait"] >= 1
    assert 0.0 < told["event_to_slate_ms"]["p50"] <= told["event_to_slate_ms"]["p99"]
    assert told["restarts"] == 0
    for line in ("warm-up:", "steady:", "shift:", "recovery:", "click rate before the shift", "frozen"):
        assert line in said
    assert len(told["timeline"]) == 15
    assert sum(moment["lists"] + moment["frozen_lists"] for moment in told["timeline"]) == told["lists_shown"]
    drawn = examined(page.read_text())
    assert "tastes turn" in words_of(figure_of(drawn, "simulation"))
    assert figure_of(drawn, "gate").find(".//svg") is not None
    assert folders(tmp_path) == []
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("sign", "number"),
    [
        ("", signal.SIGINT),
        ("starting", signal.SIGTERM),
        ("steady:", signal.SIGINT),
        ("shift:", signal.SIGTERM),
    ],
)
async def test_an_interrupted_demo_leaves_nothing_behind(
    tmp_path: Path, sign: str, number: signal.Signals
) -> None:
    said = tmp_path / "said.txt"
    with said.open("w") as sink:
        demo = started(tmp_path, "--minutes", "0.2", "--rate", "20", to=sink)
    # Python's own start is not ours to catch; from the first folder on everything is.
    await wait_until(lambda: sign in said.read_text() and folders(tmp_path), 60)
    demo.send_signal(number)
    code = await asyncio.to_thread(demo.wait)
    assert code == 130, said.read_text()
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
    demo = started(tmp_path, "--keep", "--minutes", "0.2", "--rate", "20", "--recommend", "0.5")
    said, _ = await asyncio.to_thread(demo.communicate)
    assert demo.returncode == 0, said
    # What is chosen from all items is told apart, while people come and at the end.
    assert re.search(r"click rate \d+% \(.*of all items \d+%\)", said), said
    assert "POST /v1/recommend" in said
    (folder,) = folders(tmp_path)
    assert f"eddyline down --data {folder}" in said
    assert f"eddyline simulate --data {folder}" in said
    state = read_state(folder)
    assert state is not None
    try:
        # The lines that it proposes work as they stand.
        for line in re.findall(r"^  (curl -s .*)$", said, re.MULTILINE):
            tried = await asyncio.create_subprocess_shell(f"{line} --fail", stdout=asyncio.subprocess.DEVNULL)
            assert await tried.wait() == 0, line
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


@pytest.mark.parametrize(
    "options",
    [
        ["--events", "none.jsonl"],
        ["--config", "none.yaml"],
        ["--minutes", "0"],
        ["--rate", "-1"],
        ["--config", str(FIXTURE.with_name("eddyline.yaml"))],
        ["--events", str(FIXTURE), "--seed", "3"],
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_starts(
    tmp_path: Path, options: list[str]
) -> None:
    demo = started(tmp_path, *options)
    said, _ = demo.communicate()
    assert demo.returncode == 2
    assert options[-2] in said
    assert folders(tmp_path) == []
