"""What a booster looks at: the gain of each column, summed over all splits, as shares of the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPLITS = re.compile(r"^split_feature=(.*)\nsplit_gain=(.*)$", re.MULTILINE)


def gain_shares(booster: str, columns: Sequence[str]) -> dict[str, float]:
    """Share of each column that is split on in the total gain, the largest first; empty for a booster without splits.

    Read from LightGBM's text, which tells the gain that each split had when its tree was grown: leaves that were
    refitted since do not change it. A column that correlates with others may stand for them.

    Parameters
    ----------
    booster
        LightGBM's text.
    columns
        Names of the F columns, in order.
    """
    gains = [0.0] * len(columns)
    for found in _SPLITS.finditer(booster):
        for column, gain in zip(found[1].split(), found[2].split(), strict=True):
            gains[int(column)] += float(gain)
    total = sum(gains)
    if total <= 0.0:
        return {}
    shares = {name: gain / total for name, gain in zip(columns, gains, strict=True) if gain > 0.0}
    return dict(sorted(shares.items(), key=lambda of: -of[1]))
