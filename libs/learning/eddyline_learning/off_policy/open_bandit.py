"""Rows of the Open Bandit form: what a policy showed at one of a few positions, how likely that was, and the click.

Saito, Aihara, Matsutani and Narita, "Open Bandit Dataset and Pipeline" (NeurIPS Datasets and Benchmarks 2021). Columns
that are read: ``item_id``, ``position``, ``click`` and ``propensity_score``; any others may be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eddyline_learning.off_policy.logged import Indices, Logged, Numbers, Target

COLUMNS = ("item_id", "position", "click", "propensity_score")


class BadBanditLog(ValueError):
    """The rows are not of this form; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Impressions:
    """Rows as they stand in a file."""

    items: list[str]
    positions: list[str]
    clicks: list[float]
    propensities: list[float]

    def __len__(self) -> int:
        return len(self.items)


def impressions_of(rows: Iterable[Mapping[str, str]]) -> Impressions:
    """Read and check the rows of a table with a header.

    Raises
    ------
    BadBanditLog
        For the first row that is not of the form.
    """
    found = Impressions([], [], [], [])
    for number, row in enumerate(rows, 1):
        missing = [name for name in COLUMNS if not row.get(name)]
        if missing:
            raise BadBanditLog(
                f"row {number} has no `{missing[0]}`: {', '.join(COLUMNS)} are needed, one row an impression"
            )
        try:
            click, propensity = float(row["click"]), float(row["propensity_score"])
        except ValueError as error:
            raise BadBanditLog(
                f"row {number}: click and propensity_score must be numbers: {error}"
            ) from error
        if not 0.0 < propensity <= 1.0 or not np.isfinite(click):
            raise BadBanditLog(
                f"row {number}: a propensity_score of {propensity:g} or a click of {click:g} cannot be: what was "
                "shown had a probability above 0, at most 1"
            )
        found.items.append(row["item_id"])
        found.positions.append(row["position"])
        found.clicks.append(click)
        found.propensities.append(propensity)
    if not len(found):
        raise BadBanditLog("there are no rows")
    return found


def names(values: Sequence[Iterable[str]]) -> list[str]:
    """Each once, in an order that does not depend on that of the rows."""
    return sorted({value for part in values for value in part}, key=lambda name: (len(name), name))


def logged_of(shown: Impressions, items: Sequence[str], positions: Sequence[str]) -> Logged:
    """The rows with numbers for names; each impression is a unit and independent of the others."""
    one_by_one = np.arange(len(shown))
    return Logged(
        choices=_numbers(shown.items, items),
        places=_numbers(shown.positions, positions),
        rewards=np.array(shown.clicks),
        propensities=np.array(shown.propensities),
        units=one_by_one,
        clusters=one_by_one,
    )


def action_distribution(shown: Impressions, items: Sequence[str], positions: Sequence[str]) -> Numbers:
    """How likely the policy of this log puts each item at each position, shape (items, positions).

    What the log says where that never changes and is complete; else, as often as it did. Not by the mean of what it
    says: the propensities of a policy that learns change from row to row, and rows with large ones are met more often,
    so their mean is too large.
    """
    shape = len(items), len(positions)
    where = _numbers(shown.items, items), _numbers(shown.positions, positions)
    told = np.array(shown.propensities)
    least, most = np.full(shape, np.inf), np.zeros(shape)
    np.minimum.at(least, where, told)
    np.maximum.at(most, where, told)
    if (least == most).all() and np.allclose(most.sum(axis=0), 1.0, atol=1e-6):
        return most
    counts = np.zeros(shape)
    np.add.at(counts, where, 1.0)
    empty = [name for name, n in zip(positions, counts.sum(axis=0).tolist(), strict=True) if not n]
    if empty:
        raise BadBanditLog(
            f"its log shows nothing at position {empty[0]}, so nobody knows what it would show there"
        )
    shares: Numbers = counts / counts.sum(axis=0)
    return shares


def uniform(items: Sequence[str], positions: Sequence[str]) -> Numbers:
    """Every item is as likely."""
    return np.full((len(items), len(positions)), 1.0 / len(items))


def as_target(table: Numbers, log: Logged) -> Target:
    """One table for all rows."""
    return Target([table], np.zeros(len(log), np.int64))


def _numbers(values: Iterable[str], known: Sequence[str]) -> Indices:
    number = {name: at for at, name in enumerate(known)}
    return np.array([number[value] for value in values], np.int64)
