"""The whole examination: where, two looks if one does not tell, and a verdict."""

from __future__ import annotations

import asyncio

from eddyline_cli.configuration import find_config, read_config
from eddyline_cli.doctor import agreement, lag
from eddyline_cli.doctor.breaker import check_breaker
from eddyline_cli.doctor.clocks import check_clocks
from eddyline_cli.doctor.disk import check_disk
from eddyline_cli.doctor.finding import Examination, Finding, Skipped, fail, ok, warn, worst
from eddyline_cli.doctor.folder import check_folder
from eddyline_cli.doctor.kernels import check_kernels
from eddyline_cli.doctor.looking import look
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.ports import check_ports
from eddyline_cli.doctor.refused import check_refused
from eddyline_cli.doctor.seen import Seen
from eddyline_cli.doctor.services import check_answers
from eddyline_cli.doctor.skew import check_skew
from eddyline_cli.doctor.versions import check_versions
from eddyline_cli.refusals import ConfigRefused

_BETWEEN_LOOKS_S = 2.5
"""Longer than a promotion takes to reach everybody."""


def examine(place: Place, *, min_free_bytes: int) -> Examination:
    """Look, judge, and say what could not be looked at."""
    first = second = asyncio.run(look(place))
    if lag.needs_a_second_look(first) or agreement.needs_a_second_look(first):
        second = asyncio.run(_later(place))
    config, declared = check_config(place)
    findings: list[Finding] = [
        *check_folder(place),
        *check_ports(place),
        *check_disk(place, second, min_free_bytes),
        *check_versions(second),
        check_kernels(),
        *config,
        *check_answers(place, second),
        *check_clocks(second),
        *lag.check_lag(first, second),
        *check_refused(second),
        *agreement.check_agreement(place, second, declared),
        *check_skew(second),
        *check_breaker(second),
    ]
    return Examination(
        verdict=worst(findings),
        running=place.running,
        findings=findings,
        skipped=list(_skipped(place)),
    )


async def _later(place: Place) -> Seen:
    await asyncio.sleep(_BETWEEN_LOOKS_S)
    return await look(place)


def check_config(place: Place) -> tuple[list[Finding], str | None]:
    """The finding on eddyline.yaml, and the view that it declares."""
    if place.config is None:
        if place.elsewhere:
            return [], None
        why = "there is no eddyline.yaml in this folder"
        remedy = "`eddyline autoconfig EVENTS -o eddyline.yaml` proposes one, or name yours with --config"
        return [warn("config", "eddyline.yaml", why, remedy)], None
    try:
        view = read_config(find_config(place.config))
    except ConfigRefused as error:
        remedy = "mend the lines named; docs/features.md has every feature with its options"
        return [fail("config", str(place.config), error.message, remedy)], None
    return [ok("config", str(place.config), f"declares {view.id}", view=view.id)], view.id


def _skipped(place: Place) -> list[Skipped]:
    found: list[Skipped] = []
    if not place.services:
        why = f"no Eddyline runs in {place.data}: `eddyline up` starts one; --host examines one elsewhere"
        found += [Skipped(check=check, why=why) for check in ("answers", "clocks", "lag", "agreement")]
    if place.nats_url is None:
        found.append(Skipped(check="rejected", why="no bus is known: set EDDYLINE_NATS_URL"))
    if place.database_url is None:
        found.append(Skipped(check="tables", why="no database is known: set EDDYLINE_DATABASE_URL"))
    if place.elsewhere:
        why = "services were named, which may be on other machines"
        found += [Skipped(check=check, why=why) for check in ("folder", "ports")]
    return found
