"""``eddyline migrate``: the configuration of another system to eddyline.yaml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from rich.console import Console

from eddyline_cli.commands.options import examples
from eddyline_cli.migrating.mapped import NEAR, NEEDLESS, NOT_YET, SAME, Mapped
from eddyline_cli.migrating.metarank_models import NoSuchModel
from eddyline_cli.migrating.metarank_text import NotMetarank, read_config
from eddyline_cli.migrating.metarank_view import migrate
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import table

_STYLES = {SAME: "green", NEAR: "yellow", NOT_YET: "red", NEEDLESS: "dim"}


@click.group(
    name="migrate",
    epilog=examples("eddyline migrate metarank config.yml", "eddyline migrate metarank --help"),
)
def command() -> None:
    """Turn the configuration of another system into an eddyline.yaml."""


@command.command(
    name="metarank",
    epilog=examples(
        "eddyline migrate metarank config.yml",
        "eddyline migrate metarank config.yml -o eddyline.yaml",
        "eddyline migrate metarank config.yml --model xgboost -o eddyline.yaml --force",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="CONFIG.YML")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--name", help="Name of the view.  [default: the model's, else metarank]")
@click.option("--model", help="Which lambdamart model.  [default: the first]")
def metarank(file: Path, output: Path | None, force: bool, name: str | None, model: str | None) -> None:
    """Turn Metarank's config.yml into an eddyline.yaml.

    A table on standard error tells what became of every feature and model: the same, near (and how it differs), not
    there (and what to do instead) or needless. The remarks are in the YAML, too. What comes out always loads.
    """
    if output is not None and output.exists() and not force:
        raise Refused(f"{output} is there already: name another file, or replace it with --force")
    try:
        made = migrate(read_config(file.read_text()), name=name, model=model)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from error
    except (NotMetarank, NoSuchModel, UnicodeDecodeError) as error:
        raise Refused(f"{file}: {error}") from error
    _tell(made.report)
    if output is None:
        click.echo(made.text, nl=False)
        return
    try:
        output.write_text(made.text)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"{output} is written; try it: eddyline evaluate EVENTS --config {output}", err=True)


def _tell(report: list[Mapped]) -> None:
    screen = Console(stderr=True, highlight=False)
    if not screen.is_terminal:
        screen.width = 160
    shown = table("Metarank", "here", "what to know")
    for one in report:
        verdict = f"[{_STYLES[one.verdict]}]{one.verdict}[/]"
        shown.add_row(_plain(one.what), verdict, _plain(one.note))
    screen.print(shown)
    counts = Counter(one.verdict for one in report)
    screen.print(", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLES if counts[verdict]))


def _plain(text: str) -> str:
    """The text as it stands: no markup, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text).replace("[", r"\[")
