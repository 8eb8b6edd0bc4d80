"""``eddyline models``: which there are, what the gate said of them, and decisions by hand."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import click
import msgspec

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console, table

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_TRYING = aiohttp.ClientTimeout(total=300.0)
_SCORES = {
    "rank": "any number, the larger the better",
    "click": "the log-odds of a click",
    "rating": "the value that is expected",
}
_LETTERS = 12
"""Of a model's name: enough to tell it by, and to promote it by."""
_here = click.option(
    "--data", "here", type=click.Path(path_type=Path, file_okay=False), help="Folder of the data, as above."
)


@click.group(
    name="models",
    invoke_without_command=True,
    epilog=examples(
        "eddyline models",
        "eddyline models --json | jq '.decisions[0]'",
        "eddyline models promote 4f1c0a72",
        "eddyline models promote 4f1c0a72 --pin",
        "eddyline models rollback",
        "eddyline models add towers.onnx",
    ),
)
@click.option(
    "--json", "as_json", is_flag=True, help="Models, changes, decisions and cycles as one JSON object."
)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many of each.")
@data_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, limit: int, data: Path) -> None:
    """Show the models, the newest first: role, how each was made, and the gate's last word on it; and below, who
    served: when the champion changed, by whom, why, and by which numbers.

    `difference` is the mean difference to the champion of its time in NDCG@10, over `slates` that neither was
    trained on; the gate promotes when `lower` is not below minus delta. With a subcommand, decide by hand.
    """
    ctx.obj = data
    if ctx.invoked_subcommand is not None:
        return
    told = asyncio.run(_ask("get", _trainer(data), "/v1/models"))
    if as_json:
        few = {name: listed[:limit] for name, listed in told.items()}
        click.echo(msgspec.json.format(msgspec.json.encode(few), indent=2))
    else:
        _print(told["models"][:limit], told["decisions"])
        _print_changes(told["changes"][:limit])


@command.command(
    name="promote",
    epilog=examples(
        "eddyline models promote 4f1c0a72", "eddyline models promote 4f1c0a72 && eddyline status"
    ),
)
@click.argument("model")
@click.option("--pin", is_flag=True, help="It stays until you say otherwise, whatever the gate finds.")
@_here
@click.pass_obj
def promote(data: Path, model: str, here: Path | None, pin: bool) -> None:
    """Make MODEL champion: its name, or so much of it that no other model's begins with it.

    Every ranker serves it within 2 s. The gate goes on from there: better challengers follow on it, and if it turns out
    worse than the one before, that one is taken back. With `--pin` neither happens; promote the champion once more,
    without `--pin`, to release it.
    """
    if not model.isalnum():
        raise Refused(f"{model!r} is no model's name: `eddyline models` lists them")
    _done(
        asyncio.run(
            _ask("post", _trainer(here or data), f"/v1/models/{model}/promote?pin={str(pin).lower()}")
        )
    )


@command.command(name="rollback", epilog=examples("eddyline models rollback"))
@_here
@click.pass_obj
def rollback(data: Path, here: Path | None) -> None:
    """Make the champion before this one champion again; every ranker serves it within 2 s."""
    _done(asyncio.run(_ask("post", _trainer(here or data), "/v1/models/rollback")))


@command.command(
    name="add",
    epilog=examples(
        "eddyline models columns",
        'eddyline models add towers.onnx --name "two towers" --note "trained on November"',
    ),
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", default="", help="What people call it.")
@click.option("--note", default="", help="What else there is to say of it.")
@_here
@click.pass_obj
def add(data: Path, file: Path, name: str, note: str, here: Path | None) -> None:
    """Let the model in FILE, an ONNX file, compete: it serves when the gate promotes it.

    It takes the columns that `eddyline models columns` lists as one input (N, F) of float32, NaN for what is unknown,
    and gives one score a row. It is tried at once; what does not fit is refused with what to do about it.
    """
    query = {"name": name or file.stem, "note": note}
    url = _trainer(here or data)
    told = asyncio.run(_ask("post", url, "/v1/models", params=query, body=file.read_bytes()))
    click.echo(
        f"taken: {told['model']} ({told['p50_us'] / 1_000:.2f} ms for 100 rows). The gate compares it from now on: "
        "see `eddyline models`"
    )


@command.command(name="columns", epilog=examples("eddyline models columns", "eddyline models columns --json"))
@click.option("--json", "as_json", is_flag=True, help="View, columns and objective as one JSON object.")
@_here
@click.pass_obj
def columns(data: Path, as_json: bool, here: Path | None) -> None:
    """List what a model that is made elsewhere takes, one column a line in their order, and what it gives."""
    told = asyncio.run(_ask("get", _trainer(here or data), "/v1/columns"))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
        return
    for name in told["columns"]:
        click.echo(name)
    click.echo(
        f"{len(told['columns'])} columns of {told['view']}; a score is {_SCORES.get(told['objective'], 'a number')}",
        err=True,
    )


@command.command(
    name="examples",
    epilog=examples(
        "eddyline models examples examples.npz",
        """python -c 'import numpy; print(numpy.load("examples.npz")["vectors"].shape)'""",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--slates",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="How many, the newest.",
)
@_here
@click.pass_obj
def write_examples(data: Path, file: Path, slates: int, here: Path | None) -> None:
    """Write what models are made from to FILE, for `numpy.load`: vectors, labels, positions, sizes of slates.

    Slates are there once their labels are ripe. Train on them elsewhere, and bring the model back by `add`.
    """
    url = _trainer(here or data)
    raw = asyncio.run(_asked("get", url, "/v1/examples", params={"slates": str(slates)}, timeout=_TRYING))
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{file}: {len(raw):,} bytes", err=True)


def _trainer(data: Path) -> str:
    state = state_of_running(data)
    if state is None:
        raise Refused(f"nothing runs in {data}: start it with `eddyline up`")
    url = state.url("trainer")
    if url is None:
        raise Refused(f"no trainer runs in {data}: see `eddyline status`")
    return url


async def _ask(
    method: str, url: str, path: str, *, params: dict[str, str] | None = None, body: bytes | None = None
) -> Any:
    # A model is tried before the answer comes.
    timeout = _TIMEOUT if body is None else _TRYING
    return msgspec.json.decode(await _asked(method, url, path, params=params, body=body, timeout=timeout))


async def _asked(
    method: str,
    url: str,
    path: str,
    *,
    params: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout: aiohttp.ClientTimeout,
) -> bytes:
    told: dict[str, Any] = {}
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.request(method, url + path, params=params, data=body) as answer:
                raw = await answer.read()
                if answer.status >= 400:
                    told = msgspec.json.decode(raw)
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
        raise Refused(
            f"the trainer does not answer ({error or type(error).__name__}): see `eddyline status`"
        ) from error
    if answer.status >= 400:
        raise Refused(str(told.get("detail", f"the trainer answered {answer.status}: see its log")))
    return raw


def _done(told: dict[str, Any]) -> None:
    replaced = told["replaced"]
    after = "" if replaced is None else f", in place of {replaced[:_LETTERS]}"
    click.echo(f"champion: {told['model']}{after}")


def _print(models: list[dict[str, Any]], decisions: list[dict[str, Any]]) -> None:
    screen = console()
    if not models:
        screen.print(
            "no model yet: the first one is made when enough slates are ripe (so many as `learning.min_slates` says, "
            "each `label_window` after it was shown)",
            soft_wrap=not screen.is_terminal,
        )
        return
    last: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        # The newest first; and of one cycle, the comparison with the champion before others.
        known = last.get(decision["challenger"])
        if known is None or known["decided_at"] == decision["decided_at"]:
            last[decision["challenger"]] = decision
    listed = table(
        "model", "role", "made", "by", "learnt from", "last decision", "slates", "difference", "lower"
    )
    for model in models:
        decision = last.get(model["model"], {})
        style = "green" if model["role"] == "champion" else ""
        listed.add_row(
            model["model"][:_LETTERS],
            model["role"],
            f"{datetime.fromtimestamp(model['created_at'] / 1_000):%m-%d %H:%M:%S}",
            _made_by(model),
            f"{model['n_slates']:,}" if model["n_slates"] else "–",
            _outcome(decision),
            f"{decision['n']:,}" if decision else "–",
            _signed(decision.get("mean")) if decision.get("n") else "–",
            _signed(decision.get("lower")),
            style=style,
        )
    screen.print(listed)


def _print_changes(changes: list[dict[str, Any]]) -> None:
    """Who served, the newest first."""
    if not changes:
        return
    screen = console()
    listed = table(
        "champion since",
        "model",
        "in place of",
        "how",
        "why",
        "slates",
        "difference",
        "bounds",
        title="\nWho served",
    )
    for change in changes:
        compared = change["n"] > 0
        listed.add_row(
            f"{datetime.fromtimestamp(change['decided_at'] / 1_000):%m-%d %H:%M:%S}",
            change["challenger"][:_LETTERS],
            change["opponent"][:_LETTERS] if change["outcome"] not in ("pin", "release") else "–",
            _outcome(change),
            change["reason"],
            f"{change['n']:,}" if compared else "–",
            _signed(change["mean"]) if compared else "–",
            f"{_signed(change['lower'])} to {_signed(change['upper'])}" if compared else "–",
        )
    screen.print(listed)


def _made_by(model: dict[str, Any]) -> str:
    outside = model["metrics"].get("outside")
    if outside is not None:
        return f"outside: {outside['name']}" if outside["name"] else "outside"
    made = model["metrics"].get("made")
    if not made:
        return "–"
    return f"{made['strategy']}: {made['reason']}" if made.get("reason") else str(made["strategy"])


def _outcome(decision: dict[str, Any]) -> str:
    if not decision:
        return "–"
    by_hand = " by hand" if str(decision["reason"]).startswith("by hand") else ""
    return str(decision["outcome"]).replace("_", " ") + by_hand


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4f}"
