"""``python -m tests.property.features.digest [EVENTS]``: digests of the vectors and states of fixed histories.

Run compiled and with ``NUMBA_DISABLE_JIT=1``; both must print the same.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path
from random import Random

from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from tests.property.features.histories import (
    a_question,
    by_values,
    choosing,
    other_rule,
    roomy_view,
    small_view,
    ugly_history,
)

N_RANDOM_EVENTS = 400
N_SLATES = 60
RANKLENS = Path(__file__).parents[3] / "examples" / "ranklens.yaml"


def digest_of_random_history(view: View) -> str:
    """Digest of answers along a random history, and of the state at its end."""
    rng, digest = Random(7), hashlib.sha256()
    state = State(view)
    for logged in ugly_history(rng, N_RANDOM_EVENTS):
        q = a_question(rng)
        at = state.time_of(logged.recorded_at, 0)
        digest.update(state.vectors(q.user, q.session, q.items, q.item_fields, q.context, at).tobytes())
        digest.update(state.priors(q.items, at).tobytes())
        digest.update(state.first_scores(q.user, q.session, q.items, at).tobytes())
        if view.recommend is not None:
            found = state.candidates(q.user, q.session, q.context, at, 5, exclude=q.items[:1])
            digest.update("".join(found.items).encode() + found.source.tobytes())
        state.apply(logged)
    digest.update(state.snapshot())
    return digest.hexdigest()


def digest_of_file(view: View, events: Path) -> str:
    """Digest of the vectors of the first slates of a file, and of the state after them."""
    digest, state, n_slates = hashlib.sha256(), State(view), 0
    for logged in _logged(events):
        event = logged.event
        if isinstance(event, SlateServed):
            n_slates += 1
            if n_slates > N_SLATES:
                break
            items, fields = [item.item for item in event.items], [item.fields for item in event.items]
            at = state.time_of(logged.occurred_at, 0)
            digest.update(
                state.vectors(event.user, event.session, items, fields, event.context, at).tobytes()
            )
        state.apply(logged)
    digest.update(state.snapshot())
    return digest.hexdigest()


def _logged(events: Path) -> list[Logged]:
    with gzip.open(events) as lines:
        head = [line for _, line in zip(range(4_000), lines, strict=False)]
    return [decode_record(Record(i + 1, str(i), "", 2**52, 2**52, line)) for i, line in enumerate(head)]


def digests(events: Path | None) -> list[str]:
    """One for each history."""
    found = [
        digest_of_random_history(view)
        for view in (
            *(small_view(), roomy_view(), other_rule("passive-aggressive"), other_rule("ftrl", 0.05)),
            *(by_values(), choosing(small_view()), choosing(roomy_view(), "shown", remembered=3)),
            choosing(other_rule("ftrl", 0.05)),
        )
    ]
    if events is not None:
        found.append(digest_of_file(load_view(RANKLENS.read_text()), events))
    return found


if __name__ == "__main__":
    print("\n".join(digests(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
