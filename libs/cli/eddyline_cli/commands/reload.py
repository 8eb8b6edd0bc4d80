"""``eddyline reload``: a changed eddyline.yaml taken up while everything runs, with no answer that lacks something."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.configuration import read_declaration
from eddyline_cli.data_folder import RELOAD, RunState, digest_of_text, state_of_running
from eddyline_cli.refusals import Refused

_POLL_S = 0.05
_TAKEN_UP_S = 60.0


@click.command(
    name="reload",
    epilog=examples(
        "eddyline validate && eddyline reload",
        "eddyline reload --wait 600 && eddyline status",
    ),
)
@data_option
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long at most until every answer comes from a model of the new view.  [default: do not wait]",
)
def command(data: Path, wait: float) -> None:
    """Take up the changed eddyline.yaml of a running `eddyline up`.

    Another view is built from the log beside the one that serves: its features by a second feature-store, its model by
    the trainer. Models of the old view serve on, with their features, until then; no answer is degraded. What only
    concerns learning takes effect with a new start of the trainer.
    """
    state = _running(data)
    path = Path(state.config)
    view, text = read_declaration(path)
    declared = digest_of_text(text)
    if not state.declared:
        # The signal would end one that does not know it.
        raise Refused(f"what runs in {data} is of an older version: `eddyline down`, then `eddyline up`")
    if state.declared == declared:
        click.echo(f"{path} is what runs already: {_told(state)}")
    else:
        if state.phase != "ready":
            raise Refused(f"the Eddyline in {data} is {state.phase}: wait until it is ready, then try again")
        os.kill(state.pid, RELOAD)
        state = _until(data, _TAKEN_UP_S, declared, "it was not taken up; what it says why is in its output")
        click.echo(f"taken up: {_told(state)}")
    end = time.monotonic() + wait
    changing = state.former_view is not None
    while wait and state.former_view is not None:
        if time.monotonic() > end:
            raise Refused(
                f"after {wait:.0f} s there is no model of {view.id} in service: see `eddyline models`; "
                "it goes on, and `eddyline reload --wait` waits further"
            )
        time.sleep(_POLL_S)
        state = _running(data)
    if wait and changing:
        click.echo(f"every answer comes from a model of {state.view}")
    elif wait:
        # Perhaps there is no model at all yet.
        click.echo(f"nothing to wait for: {state.view} is the view of every answer")


def _running(data: Path) -> RunState:
    state = state_of_running(data)
    if state is None:
        raise Refused(f"nothing runs in {data}: start it with `eddyline up`, which takes the file as it is")
    return state


def _until(data: Path, seconds: float, declared: str, otherwise: str) -> RunState:
    end = time.monotonic() + seconds
    while (state := _running(data)).declared != declared:
        if time.monotonic() > end:
            raise Refused(f"{otherwise} (`eddyline up`, or {data}/logs/up.log): see there")
        time.sleep(_POLL_S)
    return state


def _told(state: RunState) -> str:
    if state.former_view is None:
        return f"the view is {state.view}"
    return f"the view is {state.view}; models of {state.former_view} serve until it has one of its own"
