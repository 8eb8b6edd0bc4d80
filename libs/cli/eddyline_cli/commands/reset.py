"""``eddyline reset``: delete the data folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.data_folder import MARK, read_mark
from eddyline_cli.refusals import Refused
from eddyline_cli.supervisor.data_lock import AlreadyRunning, locked


@click.command(name="reset", epilog=examples("eddyline reset", "eddyline reset --yes --data ./second"))
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(data: Path, yes: bool) -> None:
    """Delete all data of an Eddyline: the log, the models, the files of the servers, the logs of the processes.

    Events that are nowhere else are lost. Servers of your own (EDDYLINE_DATABASE_URL, EDDYLINE_NATS_URL) are not
    touched.
    """
    if not data.exists():
        click.echo(f"there is nothing in {data}")
        return
    if read_mark(data) is None:
        raise Refused(
            f"{data} is no data folder of Eddyline ({MARK} is missing): nothing was deleted. "
            "Name the right one with --data"
        )
    try:
        with locked(data, patience_s=1.0):
            if not yes:
                size = _bytes(data) / 1e6
                click.confirm(
                    f"Delete {data.resolve()} ({size:,.0f} MB) with the log and all models?", abort=True
                )
            shutil.rmtree(data)
    except AlreadyRunning as error:
        who = f" (process {error.pid})" if error.pid else ""
        raise Refused(
            f"Eddyline is running in {data}{who}: stop it first with `eddyline down --data {data}`"
        ) from error
    click.echo(f"deleted {data}")
    for name in ("EDDYLINE_DATABASE_URL", "EDDYLINE_NATS_URL"):
        if os.environ.get(name):
            click.echo(f"{name} is set: what is on that server was not touched")


def _bytes(folder: Path) -> int:
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file())
