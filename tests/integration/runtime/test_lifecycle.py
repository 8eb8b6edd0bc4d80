"""Services as processes: how they start, end and fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

SERVICE = """
import asyncio, contextlib, sys
from eddyline_runtime.lifecycle import run_service
from eddyline_runtime.settings import ServiceSettings

@contextlib.asynccontextmanager
async def running(settings):
    async with asyncio.TaskGroup() as tasks:
        {body}
        try:
            print("open", flush=True)
            yield None
        finally:
            print("closed", flush=True)

run_service("test", ServiceSettings, running)
"""


def start(body: str, **environ: str) -> subprocess.Popen[str]:
    code = SERVICE.replace("{body}", textwrap.dedent(body))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def test_sigterm_closes_in_order_and_exits_0() -> None:
    process = start("pass")
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "closed\n"), err


def test_a_service_that_is_still_opening_can_be_stopped() -> None:
    process = start("print('opening', flush=True); await asyncio.Event().wait()")
    assert process.stdout is not None
    assert process.stdout.readline() == "opening\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_crashed_follower_brings_the_process_down() -> None:
    body = "tasks.create_task(asyncio.wait_for(asyncio.Event().wait(), 0.01))"
    process = start(body)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "open\nclosed\n"), err
    assert '"critical"' in err


def test_wrong_settings_exit_2_and_name_the_variable() -> None:
    process = start("pass", EDDYLINE_LOG_LEVEL="LOUD")
    _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "EDDYLINE_LOG_LEVEL" in err
