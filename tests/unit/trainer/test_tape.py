"""The tape gives exactly the events that were asked for, or says that it cannot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.record import Logged
from eddyline_trainer.tape import Tape
from tests.support.a_log import a_click


def an_event(sequence: int) -> Logged:
    return Logged(sequence, f"e{sequence}", sequence, sequence, a_click("a", at=sequence))


@given(
    gaps=st.lists(st.integers(1, 3), max_size=60),
    at_most=st.integers(1, 20),
    asked=st.lists(st.integers(0, 60), max_size=10),
    piece=st.integers(1, 7),
)
def test_what_it_gives_is_what_the_log_has(
    gaps: list[int], at_most: int, asked: list[int], piece: int
) -> None:
    log, sequence = [], 0
    for gap in gaps:
        sequence += gap
        log.append(an_event(sequence))
    tape = Tape(at_most)
    behind = 0
    questions = iter(sorted(asked))
    for at in range(0, len(log), piece):
        tape.add(log[at : at + piece])
        until = next(questions, None)
        if until is None or until < behind:
            continue
        have = tape.between(behind, until)
        so_far = log[: at + piece]
        expected = [e for e in so_far if behind < e.sequence <= until]
        held = [e for e in so_far if e.sequence > behind]
        assert have == expected if have is not None else len(held) > at_most // 2
        behind = expected[-1].sequence if expected else behind


def test_it_holds_a_bounded_number() -> None:
    tape = Tape(10)
    for n in range(1, 100):
        tape.add([an_event(n)])
    assert tape.between(50, 99) is None
    held = tape.between(94, 99)
    assert held is not None
    assert [e.sequence for e in held] == [95, 96, 97, 98, 99]
