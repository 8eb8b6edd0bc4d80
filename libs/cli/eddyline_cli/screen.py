"""What commands print for people: lines with the time, and tables that fit the terminal."""

from __future__ import annotations

import contextlib
import sys
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text


def console() -> Console:
    """Standard output; wide enough for addresses when it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def say_on(screen: Console, line: str) -> None:
    """One line with the time of day. A terminal that went away is no fault: what is under way must end well."""
    with contextlib.suppress(OSError):
        said = Text.assemble((f"{datetime.now():%H:%M:%S}", "dim"), "  ", line)
        # In a file a line stays a line, however long.
        screen.print(said, soft_wrap=not screen.is_terminal)


def table(*columns: str, title: str | None = None) -> Table:
    """A plain table: aligned columns, no boxes."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
