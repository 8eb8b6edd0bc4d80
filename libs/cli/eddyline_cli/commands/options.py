"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from eddyline_cli.refusals import Refused

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


def check_writable(path: Path | None, option: str) -> None:
    """Refuse a file that cannot be written before minutes are spent on what is to be in it."""
    if path is None:
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder} for {option} {path}: make it first")
    try:
        was_there = path.exists()
        # Rights alone do not tell: a disk may be read-only, or the name too long for it.
        with path.open("ab"):
            pass
        if not was_there:
            path.unlink()
    except OSError as error:
        raise Refused(
            f"{option} {path} cannot be written: {error.strerror or error}; name another file, or allow writing there"
        ) from error


def examples(*lines: str) -> str:
    """An epilog of commands that can be pasted."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
