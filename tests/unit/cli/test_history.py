"""A history is cut so that everything before a slate is sent before the slate is ranked."""

from __future__ import annotations

from pathlib import Path

from eddyline_cli.demo.history import MAX_PIECE, measure, pieces
from eddyline_contracts.events import SlateServed

FIXTURE = Path(__file__).parents[2] / "data" / "events.jsonl"


def test_pieces_hold_the_whole_file_in_its_order() -> None:
    cut = list(pieces(str(FIXTURE)))
    assert [line.raw for piece in cut for line in piece.lines] == FIXTURE.read_bytes().splitlines()


def test_each_slate_is_announced_by_the_piece_before_it_and_begins_the_next() -> None:
    cut = list(pieces(str(FIXTURE)))
    announced = [piece.slate for piece in cut if piece.slate is not None]
    begun = [piece.events[0] for piece in cut[1:]]
    assert announced == [event for event in begun if isinstance(event, SlateServed)]
    assert len(announced) == measure(str(FIXTURE)).slates == 200


def test_a_history_without_slates_is_cut_by_size_and_bad_lines_stay_in_place(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    lines = [b'{"type":"item","id":"e%d","item":"i"}' % n for n in range(2 * MAX_PIECE)] + [b"garbage"]
    file.write_bytes(b"\n".join(lines))
    cut = list(pieces(str(file)))
    assert [len(piece.lines) for piece in cut] == [MAX_PIECE, MAX_PIECE, 1]
    assert cut[-1].events == []
    assert measure(str(file)).lines == 2 * MAX_PIECE + 1
