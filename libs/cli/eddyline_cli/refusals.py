"""How a command says no: on standard error, with what to do about it, and an exit code that scripts can use."""

from __future__ import annotations

import sys
from typing import IO, Any

import click


class Refused(click.ClickException):
    """The command cannot do what it was asked; exit code 1."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the refusal."""
        click.echo(f"{click.style('eddyline:', fg='red', bold=True)} {self.message}", file=file or sys.stderr)


class ConfigRefused(Refused):
    """The configuration cannot be used; exit code 2, as for a wrong option."""

    exit_code = 2
