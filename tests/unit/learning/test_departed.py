"""Of what left the catalogue ahead of the fold, no list of priors says that it is there."""

from __future__ import annotations

from eddyline_contracts.events import ItemUpserted
from eddyline_learning.challenger import Priors
from eddyline_learning.departed import Departed
from tests.support.a_log import ToyFold, a_click, a_log, an_item


def removal(item: str, at: int) -> ItemUpserted:
    return ItemUpserted(id=f"removal-{item}-{at}", occurred_at=at, item=item, removed=True)


def test_what_is_removed_ahead_of_the_fold_is_not_listed_and_what_is_back_is() -> None:
    log = a_log(
        *(a_click(item, at=1) for item in "abba"),
        removal("d", 2),
        a_click("c", at=3),
        *(removal(item, 4) for item in "bc"),
        an_item("c", at=5),
    )
    fold, departed = ToyFold(), Departed()
    fold.apply_all(log[:6])
    for logged in log:
        departed.hear(logged)
    told = Priors.of(fold, departed.after(fold.sequence), 9)
    assert (told.items, told.scores.tolist(), told.sequence) == (["a", "c"], [2, 1], 9)
    assert departed.after(fold.sequence) == {"b"}
    assert not departed.after(7)


def test_what_the_fold_knows_itself_is_not_remembered() -> None:
    # Also where nobody ever asks, as without slates there is no cut.
    departed = Departed()
    for logged in a_log(removal("a", 1), removal("b", 2), removal("a", 3), removal("c", 4)):
        departed.hear(logged)
    departed.forget(2)
    assert departed.after(0) == {"a", "c"}
    departed.forget(3)
    assert (departed.after(0), len(departed)) == ({"c"}, 1)
