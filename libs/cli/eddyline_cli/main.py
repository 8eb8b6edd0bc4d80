"""The command ``eddyline``: finds its subcommands by name and imports only the one that is asked for."""

from __future__ import annotations

import difflib
import importlib
import signal
import threading
from importlib.metadata import version

import click

_COMMANDS = {
    "up": ("eddyline_cli.commands.up", "Start everything here; Ctrl-C stops it."),
    "reload": ("eddyline_cli.commands.reload", "Take up a changed eddyline.yaml while all runs."),
    "down": ("eddyline_cli.commands.down", "Stop what `eddyline up` started."),
    "status": ("eddyline_cli.commands.status", "Show what runs, and whether it is ready."),
    "import": ("eddyline_cli.commands.import_events", "Send files of events, each event once."),
    "autoconfig": ("eddyline_cli.commands.autoconfig", "Propose an eddyline.yaml from files of events."),
    "validate": (
        "eddyline_cli.commands.validate",
        "Check an eddyline.yaml, or print its schema for editors.",
    ),
    "migrate": (
        "eddyline_cli.commands.migrate",
        "Turn another system's configuration into an eddyline.yaml.",
    ),
    "evaluate": ("eddyline_cli.commands.evaluate", "Measure, on files of events and without servers."),
    "features": ("eddyline_cli.commands.features", "Print vectors, now or at any place of the log."),
    "doctor": ("eddyline_cli.commands.doctor", "Find what is wrong, and say what to do about it."),
    "rejected": ("eddyline_cli.commands.rejected", "Show which events were refused, and why."),
    "demo": ("eddyline_cli.commands.demo", "See it learn: made-up people, or a file of events."),
    "simulate": ("eddyline_cli.commands.simulate", "Let made-up people use a running Eddyline."),
    "models": ("eddyline_cli.commands.models", "Show the models and decisions; promote, roll back."),
    "report": ("eddyline_cli.commands.report", "Draw a page to look at: what runs, or evaluations."),
    "reset": ("eddyline_cli.commands.reset", "Delete all data of an Eddyline."),
}


_START = """\
Eddyline: a recommender that learns from every event while it serves.

  eddyline demo                          see it at work, on made-up data
  eddyline autoconfig EVENTS -o eddyline.yaml
                                         have its features proposed from your events
  eddyline up                            start everything here
  eddyline import EVENTS                 send your events
  eddyline doctor                        find what is wrong, and what to do

Every command: eddyline --help. Each has examples: eddyline COMMAND --help."""


class _Group(click.Group):
    """Imports a subcommand when it is called; the list of them needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            # Two letters changed places: no need to name what is only somewhat alike as well.
            near = difflib.get_close_matches(name, _COMMANDS, n=3, cutoff=0.75)
            near = near or difflib.get_close_matches(name, _COMMANDS, n=3, cutoff=0.5)
            meant = f"did you mean {' or '.join(f'`eddyline {one}`' for one in near)}? " if near else ""
            ctx.fail(f"there is no command {name!r}: {meant}`eddyline --help` lists all.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=_Group,
    name="eddyline",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: eddyline up. Each command has examples: eddyline COMMAND --help.",
)
@click.version_option(version("eddyline"), prog_name="eddyline")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Eddyline: a recommender that learns from every event while it serves."""
    # What a script starts in the background ignores Ctrl-C's signal, and would never end when asked by it.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if ctx.invoked_subcommand is None:
        click.echo(_START)
