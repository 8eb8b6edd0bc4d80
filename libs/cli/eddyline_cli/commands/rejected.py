"""``eddyline rejected``: what was refused, and why."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click
import msgspec

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.refused_events import BusAway, RefusedEvent, newest_refused
from eddyline_cli.screen import console

_NATS = "nats://127.0.0.1:7445"


@click.command(
    name="rejected",
    epilog=examples(
        "eddyline rejected", "eddyline rejected --limit 1000 --json | jq -r .code | sort | uniq -c"
    ),
)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many of the newest."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the whole payload.")
@click.option(
    "--nats-url", help="Where the bus is.  [default: as `eddyline up` here, else EDDYLINE_NATS_URL, 7445]"
)
@data_option
def command(limit: int, as_json: bool, nats_url: str | None, data: Path) -> None:
    """Show the newest events that were refused: when, where they came in, why, and how they begin.

    Refused events change nothing, and are kept so that they can be mended and sent again.
    """
    state = state_of_running(data)
    url = nats_url or (state and state.nats_url) or os.environ.get("EDDYLINE_NATS_URL") or _NATS
    try:
        asyncio.run(_show(url, limit, as_json))
    except BusAway as error:
        raise Refused(str(error)) from error


async def _show(url: str, limit: int, as_json: bool) -> None:
    screen = console()
    n = 0
    async for event in newest_refused(url, limit):
        n += 1
        if as_json:
            click.echo(msgspec.json.encode(_plain(event)))
            continue
        screen.print(
            f"[bold]{event.at.astimezone():%Y-%m-%d %H:%M:%S}[/bold]  {event.origin}  [red]{event.code}[/red]"
        )
        screen.print(f"  {event.detail}", markup=False)
        if event.id is not None:
            screen.print(f"  id {event.id}", markup=False)
        screen.print(f"  {_head(event.payload)}\n", markup=False, style="dim")
    if n == 0 and not as_json:
        screen.print("nothing was refused")


def _plain(event: RefusedEvent) -> dict[str, object]:
    plain: dict[str, object] = msgspec.structs.asdict(event)
    plain["payload"] = event.payload.decode(errors="backslashreplace")
    return plain


def _head(payload: bytes, n_bytes: int = 160) -> str:
    """The beginning as one line that a terminal can show."""
    text = payload[:n_bytes].decode(errors="backslashreplace")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown + (f" … ({len(payload):,} bytes)" if len(payload) > n_bytes else "")
