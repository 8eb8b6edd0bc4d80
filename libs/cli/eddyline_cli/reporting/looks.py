"""Colours of figures: matplotlib draws with stand-ins, which become variables of the page's style, by day and by
night."""

from __future__ import annotations

from typing import Any

INK, SOFT, LINE, PAPER = "#010101", "#020202", "#030303", "#040404"
SERIES = ("#110101", "#120202", "#130303", "#140404", "#150505", "#160606", "#170707", "#180808")
"""Lines and bars that stand beside each other."""
GOOD, BAD, OPEN, MUTED = "#210101", "#220202", "#230303", "#240404"
"""Of decisions: promoted, turned down, not decided yet, passed over."""

VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    PAPER: "--paper",
    **{colour: f"--s{number}" for number, colour in enumerate(SERIES, 1)},
    GOOD: "--good",
    BAD: "--bad",
    OPEN: "--open",
    MUTED: "--muted",
}

DASHES = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.5)),
    (0, (4, 1.5, 1, 1.5)),
    (0, (2, 2)),
    (0, (7, 2, 1, 2, 1, 2)),
    (0, (8, 3)),
    (0, (3, 1)),
)
"""Beside the colour, for whoever does not see it."""

RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "eddyline",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    # A name with dollars in it is a name.
    "text.parse_math": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "timezone": "UTC",
}
