"""Processes are started, restarted with backoff, and stopped in order; a killed parent leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest

from eddyline_cli.supervisor.backoff import Backoff
from eddyline_cli.supervisor.data_lock import holder, is_alive
from eddyline_cli.supervisor.supervised import Phase
from eddyline_cli.supervisor.supervisor import StartFailed, Supervisor
from eddyline_cli.supervisor.watchdog import Watchdog
from tests.support import supervised_stand_ins
from tests.support.supervised_stand_ins import a_spec
from tests.support.waiting import wait_until


@dataclass
class Watched:
    """A supervisor in this process, and what it said."""

    def __init__(
        self, supervisor: Supervisor, watchdog: Watchdog, session: aiohttp.ClientSession, said: list[str]
    ) -> None:
        self.supervisor = supervisor
        self.watchdog = watchdog
        self.session = session
        self.said = said

    def pid(self, name: str) -> int | None:
        return self.supervisor.processes[name].pid


@asynccontextmanager
async def watched(backoff: Backoff | None = None) -> AsyncIterator[Watched]:
    said: list[str] = []
    watchdog = Watchdog(grace_s=0.5)
    supervisor = Supervisor(watchdog, say=said.append, backoff=lambda: backoff or Backoff(first_s=0.05))
    async with aiohttp.ClientSession() as session:
        watching = asyncio.create_task(supervisor.watch())
        try:
            yield Watched(supervisor, watchdog, session, said)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await supervisor.stop([list(supervisor.processes)])
            watchdog.close()


def notes(folder: Path) -> list[str]:
    """What the stand-ins noted: ``name started`` and ``name ended``, in order."""
    lines = (folder / "notes").read_text().splitlines() if (folder / "notes").exists() else []
    return [line.rpartition(" ")[0] for line in lines if " child" not in line]


async def test_a_crashed_process_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", session=it.session)])
        await it.supervisor.ready(["a"], deadline_s=10)
        for crash in (1, 2):
            pid = it.pid("a")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await wait_until(lambda pid=pid: it.pid("a") not in (None, pid))
            await it.supervisor.ready(["a"], deadline_s=10)
            assert it.supervisor.processes["a"].restarts == crash
    assert "a ended with SIGKILL; starting it again in 0.1 s" in it.said[0]
    assert "restart 2" in it.said[1]


async def test_what_a_crashed_process_left_in_its_session_is_ended_too(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", "--child", session=it.session)])
        await it.supervisor.ready(["a"], deadline_s=10)
        child = int((tmp_path / "notes").read_text().splitlines()[0].split()[-1])
        assert is_alive(child)
        os.kill(it.pid("a") or 0, signal.SIGKILL)
        await wait_until(lambda: not is_alive(child))


async def test_processes_stop_in_the_given_order(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, name, session=it.session) for name in "abcd"])
        await it.supervisor.ready(list("abcd"), deadline_s=10)
        await it.supervisor.stop([["c"], ["a"], ["d"], ["b"]])
    assert notes(tmp_path)[4:] == ["c ended", "a ended", "d ended", "b ended"]
    assert {p.last_exit for p in it.supervisor.processes.values()} == {0}


async def test_who_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    async with watched() as it:
        stubborn = a_spec(tmp_path, "a", "--ignore-term", session=it.session, timeout_s=0.2)
        it.supervisor.start([stubborn])
        await it.supervisor.ready(["a"], deadline_s=10)
        pid = it.pid("a")
        await it.supervisor.stop([["a"]])
        assert pid is not None
        assert not is_alive(pid)
    assert "a did not end in time: killed" in it.said


async def test_stopping_is_bounded_as_a_whole(tmp_path: Path) -> None:
    async with watched() as it:
        specs = [a_spec(tmp_path, n, "--ignore-term", session=it.session, timeout_s=60) for n in "abc"]
        it.supervisor.start(specs)
        await it.supervisor.ready(list("abc"), deadline_s=10)
        async with asyncio.timeout(5):
            await it.supervisor.stop([["a"], ["b"], ["c"]], budget_s=0.3)
    assert {p.phase for p in it.supervisor.processes.values()} == {Phase.STOPPED}


async def test_a_process_that_refuses_its_settings_ends_the_start_with_its_log(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", "--exit", "2", session=it.session)])
        with pytest.raises(StartFailed, match="a cannot use its settings:\nthis setting cannot be used"):
            await it.supervisor.ready(["a"], deadline_s=10)


async def test_a_process_that_crashes_again_and_again_ends_the_start(tmp_path: Path) -> None:
    async with watched(Backoff(first_s=0.001, most_s=0.001)) as it:
        it.supervisor.start([a_spec(tmp_path, "a", "--exit", "3", session=it.session)])
        with pytest.raises(StartFailed, match=r"a ended \d+ times \(exit code 3\)"):
            await it.supervisor.ready(["a"], deadline_s=20)


async def test_waiting_says_what_for_and_ends_at_the_deadline(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", "--unready", str(gate), session=it.session)])
        await it.supervisor.ready(["a"], deadline_s=20)
        gate.touch()
        with pytest.raises(StartFailed, match=r"not ready after 1 s: a \(the file\)"):
            await it.supervisor.ready(["a"], deadline_s=1.0, patience_s=0.2)
        assert "waiting for a (the file)" in it.said
        gate.unlink()
        await it.supervisor.ready(["a"], deadline_s=10)


async def test_supervision_goes_on_when_the_state_cannot_be_written_down(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", session=it.session)])
        await it.supervisor.ready(["a"], deadline_s=20)

        def full() -> None:
            raise OSError("No space left on device")

        it.supervisor.on_change = full
        for _ in range(2):
            pid = it.pid("a")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await wait_until(lambda pid=pid: it.pid("a") not in (None, pid))
        it.supervisor.on_change = lambda: None
    assert "supervision is impaired: OSError: No space left on device" in it.said


async def test_a_killed_guard_is_replaced(tmp_path: Path) -> None:
    async with watched() as it:
        it.supervisor.start([a_spec(tmp_path, "a", session=it.session)])
        old = it.watchdog.pid
        os.kill(old, signal.SIGKILL)
        await wait_until(lambda: it.watchdog.pid != old)


def _started(folder: Path, *told: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, supervised_stand_ins.__file__, str(folder), json.dumps(told)]
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)


async def test_a_killed_parent_leaves_nothing_behind_not_even_stubborn_ones_and_grandchildren(
    tmp_path: Path,
) -> None:
    parent = _started(tmp_path, "a", "b --ignore-term", "c --child")
    try:
        await wait_until((tmp_path / "pids.json").exists, 20)
        pids = list(json.loads((tmp_path / "pids.json").read_text()).values())
        pids += [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        assert len(set(pids)) == 5
        parent.kill()
        # The lock is given back only when the last of them is gone.
        await wait_until(lambda: holder(tmp_path) is None)
        assert [pid for pid in pids if is_alive(pid)] == []
        assert "a ended" in notes(tmp_path)
    finally:
        parent.kill()
        parent.wait()


async def test_sigterm_ends_the_parent_and_all_it_started(tmp_path: Path) -> None:
    parent = _started(tmp_path, "a", "b --child")
    try:
        await wait_until((tmp_path / "pids.json").exists, 20)
        pids = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        parent.terminate()
        assert await asyncio.to_thread(parent.wait, 10) == 0, (tmp_path / "said").read_text()
        assert [pid for pid in pids if is_alive(pid)] == []
        assert notes(tmp_path)[2:] == ["a ended", "b ended"]
    finally:
        parent.kill()
        parent.wait()
