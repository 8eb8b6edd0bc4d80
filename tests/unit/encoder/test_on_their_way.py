"""What is on its way to the log is remembered for a while, and only so long."""

from __future__ import annotations

from eddyline_encoder.on_their_way import ON_ITS_WAY_S, OnTheirWay


def test_a_vector_without_a_word_from_the_log_is_let_go_after_its_time() -> None:
    ways = OnTheirWay()
    ways.add("a", 0.0)
    ways.add("b", 1.0)
    ways.forget(ON_ITS_WAY_S)
    assert ("a" in ways, "b" in ways) == (True, True)
    ways.forget(ON_ITS_WAY_S + 0.5)
    assert ("a" in ways, "b" in ways) == (False, True)
    # Sent once more, it has its time once more.
    ways.add("a", ON_ITS_WAY_S + 0.5)
    ways.add("b", ON_ITS_WAY_S + 1.0)
    ways.forget(2 * ON_ITS_WAY_S)
    assert len(ways) == 2
