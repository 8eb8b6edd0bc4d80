"""What ``eddyline evaluate --protocol off-policy`` reads besides files of events: a running system, or impressions."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console

from eddyline_cli.commands.report import view_of_running
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console
from eddyline_cli.sending.event_lines import DamagedFile
from eddyline_contracts.csv_table import UnknownColumn
from eddyline_features.view import View

if TYPE_CHECKING:
    from eddyline_cli.evaluating.hosting import Asked
    from eddyline_cli.evaluating.off_policy import Estimated


def are_impressions(files: Sequence[str]) -> bool:
    """Whether all of these are there and are tables of impressions with propensities."""
    from eddyline_cli.evaluating import off_policy

    try:
        return all(Path(path).is_file() for path in files) and off_policy.are_impressions(files)
    except (DamagedFile, UnknownColumn) as error:
        raise Refused(str(error)) from error


def estimate(
    files: Sequence[str], view: View | None, asked: Asked, data: Path, *, as_json: bool, began: float
) -> bytes:
    """Estimate from files of impressions or, where there are none, from the log of what runs; print it, and give what
    ``--json`` prints."""
    from eddyline_cli.evaluating.off_policy import of_impressions

    try:
        if files:
            found = of_impressions(files, asked)
            n = found.found.n_rows
        else:
            found, n = _running(view, asked, data)
    except (DamagedFile, UnknownColumn) as error:
        raise Refused(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    seconds = time.monotonic() - began
    answer = msgspec.json.encode(found.answer(events=n, seconds=seconds))
    if as_json:
        click.echo(answer)
    else:
        found.show(console(), events=n, seconds=seconds)
    return answer


def _running(view: View | None, asked: Asked, data: Path) -> tuple[Estimated, int]:
    from eddyline_cli.evaluating.progress import EvaluationProgress
    from eddyline_cli.evaluating.running_log import of_running

    state = state_of_running(data)
    url = (state.database_url if state else None) or os.environ.get("EDDYLINE_DATABASE_URL")
    if not url:
        raise Refused(
            f"nothing runs in {data}, and no file is named: start it with `eddyline up`, set EDDYLINE_DATABASE_URL, "
            "or name files of events or impressions"
        )
    if view is None and state is not None:
        view = view_of_running(state, data)
    with EvaluationProgress(Console(stderr=True, highlight=False, soft_wrap=True)) as progress:
        progress.begin("reading the log", None)
        return asyncio.run(of_running(url, view, asked, progress.show))
