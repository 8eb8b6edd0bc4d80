"""``eddyline down``: stop the Eddyline of a data folder."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import click

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.refusals import Refused
from eddyline_cli.supervisor.data_lock import holder, is_alive


@click.command(name="down", epilog=examples("eddyline down", "eddyline down --data ./second"))
@data_option
@click.option(
    "--timeout", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds until it is killed."
)
def command(data: Path, timeout: float) -> None:
    """Stop what `eddyline up` started in this folder, in order, and wait for its end.

    Data stay. When nothing runs there, nothing is done and the exit code is 0 just the same.
    """
    pid = holder(data)
    if pid is None:
        click.echo(f"nothing runs in {data}")
        return
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    if not _gone(data, pid, timeout):
        if pid:
            click.echo(f"process {pid} did not end within {timeout:.0f} s: killing it")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not _gone(data, pid, 30):
            raise Refused(f"{data} is still held; look for what is left with `ps -ef | grep eddyline`")
    click.echo(f"stopped the Eddyline in {data}" + (f" (process {pid})" if pid else ""))


def _gone(data: Path, pid: int, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while holder(data) is not None or (pid and is_alive(pid)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
