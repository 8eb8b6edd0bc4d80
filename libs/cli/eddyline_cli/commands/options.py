"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

DATA = Path(".eddyline")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    show_default=True,
    help="Folder of the data.",
)
config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The view: features, actions, learning.  [default: ./eddyline.yaml]",
)


def examples(*lines: str) -> str:
    """An epilog of commands that can be pasted."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
