"""``eddyline validate``: everything that is wrong in an eddyline.yaml, or what the view holds."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import yaml

from eddyline_cli.commands.options import examples
from eddyline_cli.configuration import find_config
from eddyline_cli.refusals import ConfigRefused
from eddyline_cli.screen import console, table
from eddyline_features.view import Problem, View, ViewError, load_view

if TYPE_CHECKING:
    from collections.abc import Mapping

_INVALID = ConfigRefused.exit_code
_BOUNDED = {"item": "items", "user": "users", "session": "sessions", "value": "values", "group": "groups"}
"""What memory is told of, and the limit that bounds it."""


@click.command(
    name="validate",
    epilog=examples(
        "eddyline validate",
        "eddyline validate shop.yaml && eddyline reload",
        "eddyline validate --json | jq .columns",
        "eddyline validate --schema > eddyline.schema.json     # for editors",
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of eddyline.yaml instead, for editors.")
def command(file: Path | None, as_json: bool, schema: bool) -> None:
    """Check FILE (./eddyline.yaml; - is standard input): print every error with its line and what to do, or what the
    view holds: its id, its columns, and the memory that each item and user takes.

    Editors complete and check while you type if the file begins with the line

    \b
      # yaml-language-server: $schema=eddyline.schema.json

    Exit code: 0 for a view that can be used, 2 otherwise. Nothing is started or changed.
    """
    if schema:
        from eddyline_features.schema import encoded_schema

        click.echo(encoded_schema(), nl=False)
        return
    path, text = _read(file)
    try:
        view = load_view(text)
    except ViewError as error:
        _refuse(path, error.problems, as_json=as_json)
    else:
        _show(path, text, view, as_json=as_json)


def _read(file: Path | None) -> tuple[str, str]:
    if file is not None and str(file) == "-":
        return "-", sys.stdin.read()
    path = find_config(file, "`eddyline validate FILE`")
    try:
        return str(path), path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigRefused(
            f"{path} cannot be read: {error}. A file in UTF-8 is expected that you may read"
        ) from error


def _refuse(path: str, problems: list[Problem], *, as_json: bool) -> None:
    if as_json:
        listed = [{"line": problem.line, "message": problem.message} for problem in problems]
        click.echo(msgspec.json.encode({"file": path, "valid": False, "problems": listed}))
    else:
        for problem in problems:
            click.echo(f"{path}:{problem.line}: {problem.message}")
        n = len(problems)
        click.echo(f"\n{n} problem{'s' * (n != 1)}; docs/features.md has all that may be written", err=True)
    raise SystemExit(_INVALID)


def _show(path: str, text: str, view: View, *, as_json: bool) -> None:
    from eddyline_features.state import State

    state = State(view)
    memory = state.memory()
    if not state.plan.sessions:
        # No feature asks for them, and none are kept.
        del memory["session"]
    kinds = Counter(str(feature["kind"]) for feature in yaml.safe_load(text)["features"])
    if as_json:
        click.echo(msgspec.json.encode(_as_json(path, view, kinds, memory)))
        return
    screen = console()
    listed = [
        ("view", view.id),
        ("features", f"{len(view.features)}: {', '.join(f'{n} {kind}' for kind, n in kinds.most_common())}"),
        ("columns", f"{len(view.columns):,}"),
        ("actions", ", ".join(f"{name} {action.weight:g}" for name, action in view.actions.items())),
        ("objective", view.learning.objective),
    ]
    screen.print(f"{path} is valid\n", markup=False)
    for what, value in listed:
        screen.print(f"{what:<12}{value}", markup=False, soft_wrap=True)
    sizes = table("memory", "bytes each", "limit", "at most")
    for what, limit, n_bytes, bound in _sizes(view, memory):
        sizes.add_row(what, f"{n_bytes:,.0f}", f"{limit:,}", f"{n_bytes * bound / 1e6:,.0f} MB")
    screen.print()
    screen.print(sizes)


def _sizes(view: View, memory: Mapping[str, float]) -> list[tuple[str, int, float, int]]:
    limits = {what: getattr(view.limits, name) for what, name in _BOUNDED.items()}
    return [(what, limits[what], n_bytes, limits[what]) for what, n_bytes in memory.items() if what in limits]


def _as_json(path: str, view: View, kinds: Mapping[str, int], memory: Mapping[str, float]) -> dict[str, Any]:
    return {
        "file": path,
        "valid": True,
        "view": view.id,
        "columns": view.columns,
        "kinds": dict(kinds),
        "actions": {
            name: {"weight": action.weight, "gain": action.gain} for name, action in view.actions.items()
        },
        "objective": view.learning.objective,
        "bytes_each": {what: round(n_bytes) for what, n_bytes in memory.items()},
        "limits": {limit: getattr(view.limits, limit) for limit in _BOUNDED.values()},
    }
