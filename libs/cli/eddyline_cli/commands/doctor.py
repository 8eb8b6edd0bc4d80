"""``eddyline doctor``: what is wrong, or soon will be, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.text import Text

from eddyline_cli.commands.options import config_option, data_option, examples
from eddyline_cli.doctor.finding import Examination, Finding
from eddyline_cli.doctor.place import SERVICES, find_place
from eddyline_cli.refusals import Refused
from eddyline_cli.reporting.wording import plural
from eddyline_cli.screen import console
from eddyline_cli.supervisor.ports import DEFAULT_BASE, ports_from

_SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


@click.command(
    name="doctor",
    epilog=examples(
        "eddyline doctor",
        "eddyline doctor --data ./second --port-base 7540",
        "eddyline doctor --host 10.0.0.5",
        "eddyline doctor --url ranker=http://10.0.0.5:7440 --url trainer=http://10.0.0.6:7443",
        "EDDYLINE_DATABASE_URL=postgresql://me@db/eddyline eddyline doctor",
        "eddyline doctor --json | jq '.findings[] | select(.verdict != \"ok\")'",
    ),
)
@data_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="All findings as one JSON object (docs/doctor.md).")
@click.option("--host", metavar="HOST", help="Examine services at their usual ports on this host.")
@click.option("--url", "urls", multiple=True, metavar="NAME=URL", help="Examine this service; repeat it.")
@click.option(
    "--port-base",
    type=click.IntRange(1, 65_000),
    default=DEFAULT_BASE,
    show_default=True,
    help="Ports are counted from here, as by `eddyline up`.",
)
@click.option(
    "--rankers", type=click.IntRange(1, 16), default=1, show_default=True, help="How many there should be."
)
@click.option(
    "--min-free",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="GB",
    help="Less free disk than this is a failure.",
)
@click.option("--all", "show_all", is_flag=True, help="Show what is well, too, one line each.")
def command(
    data: Path,
    config: Path | None,
    as_json: bool,
    host: str | None,
    urls: tuple[str, ...],
    port_base: int,
    rankers: int,
    min_free: float,
    show_all: bool,
) -> None:
    """Examine ports, disk, versions, clocks, lag, and whether ranker, store and trainer agree on view and model.

    Works whether Eddyline runs here or not. Servers named by EDDYLINE_NATS_URL and EDDYLINE_DATABASE_URL are examined
    too. Nothing is changed, but kernels that were not compiled are.

    Exit code: 0 when nothing failed, warnings or not; 1 when something did.
    """
    from eddyline_cli.doctor.examining import examine

    named = _named(host, urls, port_base, rankers)
    place = find_place(data, config, named, port_base=port_base, n_rankers=rankers)
    found = examine(place, min_free_bytes=int(min_free * 1e9))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        _print(found, show_all)
    raise SystemExit(1 if found.verdict == "fail" else 0)


def _named(host: str | None, urls: tuple[str, ...], port_base: int, rankers: int) -> dict[str, str]:
    named: dict[str, str] = {}
    if host is not None:
        ports = ports_from(port_base, n_rankers=rankers)
        of_services = [name for name in ports if name.startswith(SERVICES)]
        named = {name: f"http://{host}:{ports[name]}" for name in of_services}
    for told in urls:
        name, equals, url = told.partition("=")
        if not equals or not name.startswith(SERVICES) or not url.startswith(("http://", "https://")):
            raise Refused(
                f"--url {told}: NAME=URL is expected, as ranker=http://10.0.0.5:7440; "
                f"names are {', '.join(SERVICES)}, ranker-2, …"
            )
        named[name] = url.rstrip("/")
    return named


def _print(found: Examination, show_all: bool) -> None:
    screen = console()
    groups: dict[str, list[Finding]] = {}
    for finding in found.findings:
        groups.setdefault(finding.check, []).append(finding)
    for check, findings in groups.items():
        complaints = [finding for finding in findings if finding.verdict != "ok"]
        if not show_all and not complaints:
            _line(screen, "ok", check, _summary(findings))
            continue
        for finding in findings if show_all else complaints:
            _line(screen, finding.verdict, check, f"{finding.subject}: {finding.detail}")
            if finding.remedy:
                screen.print(Text(f"             → {finding.remedy}"))
    for why, checks in _by_reason(found).items():
        screen.print(Text(f"–  not looked at: {', '.join(checks)} ({why})", style="dim"))
    n = {v: sum(1 for f in found.findings if f.verdict == v) for v in ("fail", "warn")}
    screen.print()
    screen.print(f"{n['fail']} failed, {plural(n['warn'], 'warning')}, {len(found.findings)} looked at")


def _line(screen: object, verdict: str, check: str, text: str) -> None:
    sign, style = _SIGNS[verdict]
    assert hasattr(screen, "print")
    screen.print(Text.assemble((sign, style), f"  {check:<10}", text))


def _summary(findings: list[Finding]) -> str:
    if len(findings) == 1:
        return findings[0].detail
    return ", ".join(finding.subject for finding in findings)


def _by_reason(found: Examination) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for skipped in found.skipped:
        reasons.setdefault(skipped.why, []).append(skipped.check)
    return reasons
