"""The page of an off-policy estimate, or of several beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from eddyline_cli.reporting.figures.policy_values import policy_values, what_they_rest_on
from eddyline_cli.reporting.off_policy import OffPolicyTold
from eddyline_cli.reporting.plate import Page, Part, Tile
from eddyline_cli.reporting.wording import count, duration, figure, plural


def page_of_off_policy(told: Sequence[OffPolicyTold]) -> Page:
    """All figures; ``told``: at least one, all of the same unit."""
    who = "another policy" if len(told) == 1 else "other policies"
    title = f"What {who} would have been worth"
    notes = [
        "Per place: a click may depend on the item and on where it stood, not on what stood beside it. Intervals are "
        "asymptotic ones; with few effective rows they are too narrow.",
    ]
    if len(told) > 1:
        notes.append("They can be compared where they are of the same log.")
    return Page(
        title=title,
        lead="; ".join(_lead(each) for each in told) + ".",
        tiles=[tile for each in told for tile in _tiles(each, f"{each.name}: " if len(told) > 1 else "")],
        parts=[Part(title="Values", plates=[policy_values(told, title), what_they_rest_on(told)])],
        notes=notes,
    )


def _lead(each: OffPolicyTold) -> str:
    told = each.told
    return (
        f"{each.name}: {plural(told.events, 'event')}, {plural(told.scored, told.unit)} by chance, in "
        f"{duration(told.seconds)}; the policy asked for is {told.target}"
    )


def _tiles(each: OffPolicyTold, before: str) -> list[Tile]:
    found = each.told.estimates
    return [
        Tile(
            label=f"{before}{each.told.target}, DR",
            value=figure(found.dr.mean),
            note=f"{figure(found.dr.lower)} to {figure(found.dr.upper)}",
        ),
        Tile(
            label=f"{before}effective rows",
            value=count(found.effective_rows),
            note=f"of {count(found.rows)}; mean weight {figure(found.mean_weight)}",
            alarm=bool(each.told.warnings),
        ),
    ]
