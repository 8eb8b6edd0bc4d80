"""By which fields items are alike in an evaluation, and what is printed of the dial of diversity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from eddyline_cli.evaluating.figures import figure
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import table
from eddyline_features.slates.caps import Values
from eddyline_features.slates.likeness import are_numbers
from eddyline_features.state import State
from eddyline_learning.judging import ValuesOf
from eddyline_learning.tradeoff import Tradeoff


def values_of(state: State) -> ValuesOf:
    """Values of the fields that ``/v1/recommend`` would compare items by.

    Raises
    ------
    Refused
        If the view names none.
    """
    recommend = state.view.recommend
    chosen = () if recommend is None else recommend.diversity_by
    fields = chosen or (() if recommend is None else recommend.fields)
    if not fields:
        raise Refused(
            "--diversity asks how alike items are, and the view keeps no fields to compare them by: name some in it, "
            "as `recommend: {fields: [genres, brand]}`"
        )

    def of(items: Sequence[str]) -> list[Values]:
        get = state.items.rows.get
        rows = np.array([get(item, -1) for item in items], np.int32)
        told = [state.fields.texts(name, rows) for name in fields]
        return [values for values in told if chosen or not are_numbers(values)]

    return of


def diversity_table(found: Sequence[Tradeoff]) -> Table:
    """What each place of the dial costs and gives."""
    k = found[0].k
    listed = table(
        "dial", f"ndcg@{k}", "change", f"ild@{k}", f"values@{k}", title="Diversity: what it costs and gives"
    )
    for each in found:
        change = "" if each.dial == 0.0 else f"{each.change.mean:+.4f} ± {each.change.se:.4f}"
        listed.add_row(
            f"{each.dial:g}", figure(each.ndcg), change, figure(each.difference), f"{each.values.mean:.1f}"
        )
    return listed
