"""The command ``eddyline``: finds its subcommands by name and imports only the one that is asked for."""

from __future__ import annotations

import importlib
import signal
import threading
from importlib.metadata import version

import click

_COMMANDS = {
    "up": ("eddyline_cli.commands.up", "Start everything here; Ctrl-C stops it."),
    "down": ("eddyline_cli.commands.down", "Stop what `eddyline up` started."),
    "status": ("eddyline_cli.commands.status", "Show what runs, and whether it is ready."),
    "import": ("eddyline_cli.commands.import_events", "Send files of events, each event once."),
    "autoconfig": ("eddyline_cli.commands.autoconfig", "Propose an eddyline.yaml from files of events."),
    "evaluate": ("eddyline_cli.commands.evaluate", "Measure, on files of events and without servers."),
    "rejected": ("eddyline_cli.commands.rejected", "Show which events were refused, and why."),
    "demo": ("eddyline_cli.commands.demo", "Send a file through the real services and measure."),
    "models": ("eddyline_cli.commands.models", "Show the models and decisions; promote, roll back."),
    "reset": ("eddyline_cli.commands.reset", "Delete all data of an Eddyline."),
}


class _Group(click.Group):
    """Imports a subcommand when it is called; the list of them needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=_Group,
    name="eddyline",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: eddyline up. Each command has examples: eddyline COMMAND --help.",
)
@click.version_option(version("eddyline"), prog_name="eddyline")
def main() -> None:
    """Eddyline: a recommender that learns from every event while it serves."""
    # What a script starts in the background ignores Ctrl-C's signal, and would never end when asked by it.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
