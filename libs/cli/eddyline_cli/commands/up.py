"""``eddyline up``: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from eddyline_cli.background import Background
from eddyline_cli.changing.changeover import Changeover
from eddyline_cli.commands.options import config_option, data_option, examples
from eddyline_cli.configuration import find_config, read_declaration
from eddyline_cli.data_folder import RELOAD, Mark, RunState, read_mark, read_state, write_mark
from eddyline_cli.fleet import Fleet
from eddyline_cli.refusals import Refused
from eddyline_cli.running import running
from eddyline_cli.screen import console, say_on, table
from eddyline_cli.supervisor.data_lock import AlreadyRunning, holder, locked
from eddyline_cli.supervisor.ports import DEFAULT_BASE, PortTaken, check_free
from eddyline_cli.supervisor.supervisor import StartFailed
from eddyline_features.view import View


@click.command(
    name="up",
    epilog=examples(
        "eddyline up",
        "eddyline up --config shop.yaml --rankers 2",
        "eddyline up --port-base 7540 --data ./second     # a second one beside it",
        "EDDYLINE_DATABASE_URL=postgresql://me@db/eddyline eddyline up",
    ),
)
@config_option
@data_option
@click.option(
    "--rankers", type=click.IntRange(1, 16), default=1, show_default=True, help="How many rankers to run."
)
@click.option(
    "--port-base",
    type=click.IntRange(1, 65_000),
    default=DEFAULT_BASE,
    show_default=True,
    help="Ports are counted from here: ranker +0, ingest +1, feature-store +2, trainer +3, log-writer +4, "
    "nats +5, postgres +6, encoder +9, further rankers +10, +20, …",
)
@click.option(
    "--frozen-ranker",
    is_flag=True,
    help="One more ranker, at +7, that keeps the first model that it gets: to compare with.",
)
@click.option("--free-ports", is_flag=True, help="Take any free ports; `eddyline status` shows them.")
@click.option("--detach", is_flag=True, help="Return when all is ready; stop with `eddyline down`.")
def command(
    config: Path | None,
    data: Path,
    rankers: int,
    port_base: int,
    frozen_ranker: bool,
    free_ports: bool,
    detach: bool,
) -> None:
    """Start everything here: PostgreSQL, nats-server and the five services, each as a process of its own; and
    the encoder, where the view has to do with what items say.

    Data, logs and state lie in one folder (./.eddyline). A process that crashes is started again. Ctrl-C stops all.
    When the file declares another view than the last time, the model in service goes on with the features of its own
    view, beside the new one, until that has a model. `eddyline reload` does the same while all runs.

    With EDDYLINE_DATABASE_URL or EDDYLINE_NATS_URL set, your server is used instead of an embedded one.
    """
    path = find_config(config)
    view, declaration = read_declaration(path)
    if detach:
        pid = holder(data)
        if pid is not None:
            raise Refused(str(AlreadyRunning(data, pid)))
        arguments = ["--config", str(path), "--rankers", str(rankers), "--port-base", str(port_base)]
        if frozen_ranker:
            arguments.append("--frozen-ranker")
        if free_ports:
            arguments.append("--free-ports")
        state = Background(data, arguments, outlives=True).wait_ready()
        show(
            console(),
            state,
            recommends=view.recommend is not None,
            how_to_stop=f"`eddyline down --data {data}` stops everything",
        )
        return
    try:
        with locked(data) as lock:
            fleet = Fleet.planned(
                data,
                path,
                port_base=0 if free_ports else port_base,
                n_rankers=rankers,
                frozen_ranker=frozen_ranker,
            )
            check_free(fleet.used_ports)
            _run(fleet, view, declaration, lock)
    except (AlreadyRunning, PortTaken, StartFailed) as error:
        raise Refused(str(error)) from error


def _run(fleet: Fleet, view: View, declaration: str, lock: int) -> None:
    screen = console()
    say = partial(say_on, screen)
    known = read_mark(fleet.data)
    if known is not None and known.view not in (None, view.id):
        say(
            f"the view is now {view.id}, it was {known.view}: nothing is lost. Features are computed anew from the "
            "log, and the model in service goes on until the new view has its own."
        )
    write_mark(fleet.data, Mark(view=view.id))
    asyncio.run(_until_told(fleet, view, declaration, lock, screen))
    say("stopped")


async def _until_told(fleet: Fleet, view: View, declaration: str, lock: int, screen: Console) -> None:
    say = partial(say_on, screen)
    changeovers: list[Changeover] = []

    async def serve() -> None:
        async with running(fleet, view=view, declaration=declaration, lock=lock, say=say) as changeover:
            changeovers.append(changeover)
            state = read_state(fleet.data)
            assert state is not None
            show(screen, state, recommends=view.recommend is not None)
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    told = 0

    def on_signal() -> None:
        nonlocal told
        told += 1
        say("stopping" if told == 1 else "stopping by force")
        task.cancel()

    def on_reload() -> None:
        for changeover in changeovers:
            changeover.ask_for_reload()

    asyncio.get_running_loop().add_signal_handler(RELOAD, on_reload)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise


def show(
    screen: Console,
    state: RunState,
    *,
    recommends: bool = False,
    how_to_stop: str = "Ctrl-C stops everything",
) -> None:
    """Print where everything is, and how to begin; ``recommends``: the view has a section for that."""
    addresses = table("process", "address", "log")
    for name, process in state.processes.items():
        addresses.add_row(name, process.url, _short(process.log))
    screen.print()
    screen.print(addresses)
    ingest, ranker = state.url("ingest"), state.url("ranker")
    choice = f"""\n  curl -s {ranker}/v1/recommend -d '{{"user":"u1","n":5}}'""" if recommends else ""
    asked = "an order, and for a choice of all items" if recommends else "an order"
    screen.print(f"\nSend an event, and ask for {asked}:\n")
    screen.print(
        f"  curl -s {ingest}/v1/events -d "
        """'{"type":"item","item":"i1","fields":{"title":"A first item"}}'"""
        f"\n  curl -s {ranker}/v1/rank -d "
        f"""'{{"user":"u1","items":["i1","i2"]}}'{choice}""",
        markup=False,
    )
    screen.print(f"\nReady. {how_to_stop}; `eddyline status` shows more.\n", markup=False)


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
