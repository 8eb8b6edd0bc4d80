"""Epochs: whatever happened to the stream or the database, no two events share a place and places only grow."""

from __future__ import annotations

import pytest

from eddyline_contracts.record import sequence_of
from eddyline_eventlog.appending import Cursor
from eddyline_ingest.log_writer.adoption import Adoption, Inbox, adopt, position

NEW = Cursor(0, 0, None, None)


def a_cursor(number: int = 50, *, epoch: int = 2, created: str = "monday", recorded_ns: int = 7) -> Cursor:
    return Cursor(sequence_of(epoch, number), epoch, created, recorded_ns)


def an_inbox(
    *,
    created: str = "monday",
    epoch: int | None = 2,
    first: int = 1,
    last: int = 90,
    recorded_ns: int | None = 7,
) -> Inbox:
    return Inbox(created, epoch, first, last, recorded_ns)


def decided(cursor: Cursor, inbox: Inbox) -> tuple[int, int]:
    adoption: Adoption = adopt(cursor, inbox)
    return adoption.epoch, adoption.after


def test_the_same_stream_is_read_on_after_the_cursor() -> None:
    assert decided(a_cursor(), an_inbox()) == (2, 50)


def test_a_first_start_takes_the_stream_from_its_beginning_in_epoch_one() -> None:
    assert decided(NEW, an_inbox(epoch=1, first=0, last=0)) == (1, 0)
    assert decided(NEW, an_inbox(epoch=None)) == (1, 0)


def test_a_stream_made_anew_is_of_the_next_epoch() -> None:
    assert decided(a_cursor(), an_inbox(created="tuesday", epoch=3, last=5)) == (3, 0)
    assert decided(a_cursor(), an_inbox(created="tuesday", epoch=None, last=5)) == (3, 0)
    # As one that was copied from elsewhere would say.
    assert decided(a_cursor(), an_inbox(created="tuesday", epoch=2, last=500)) == (3, 0)


def test_a_log_made_anew_adopts_the_epoch_of_the_living_stream() -> None:
    assert decided(NEW, an_inbox(epoch=4, first=11)) == (4, 10)


def test_a_log_restored_from_before_the_last_epoch_adopts_the_newer_one() -> None:
    assert decided(a_cursor(epoch=2), an_inbox(epoch=3)) == (3, 0)


def test_a_log_restored_to_an_earlier_place_of_the_same_epoch_reads_on_from_there() -> None:
    assert decided(a_cursor(20), an_inbox(last=90)) == (2, 20)


def test_a_stream_that_lost_what_the_log_has_is_of_the_next_epoch() -> None:
    assert decided(a_cursor(50), an_inbox(last=49, recorded_ns=None)) == (3, 0)
    # Lost, and written over since: the message at the cursor is another one.
    assert decided(a_cursor(50, recorded_ns=7), an_inbox(last=90, recorded_ns=8)) == (3, 0)


def test_what_the_stream_no_longer_holds_is_no_reason_for_another_epoch() -> None:
    assert decided(a_cursor(50), an_inbox(first=60, recorded_ns=None)) == (2, 50)


def test_an_adoption_that_was_cut_short_between_stream_and_log_is_made_again_the_same_way() -> None:
    assert decided(a_cursor(epoch=2), an_inbox(created="tuesday", epoch=3)) == (3, 0)
    # Log written, no batch yet: the cursor is still of the old epoch.
    halfway = Cursor(sequence_of(2, 50), 3, "tuesday", 7)
    assert position(halfway) == 0
    assert decided(halfway, an_inbox(created="tuesday", epoch=3, recorded_ns=None)) == (3, 0)


@pytest.mark.parametrize("epoch", [None, 1])
def test_metadata_that_somebody_removed_or_set_back_changes_nothing(epoch: int | None) -> None:
    assert decided(a_cursor(), an_inbox(epoch=epoch)) == (2, 50)


def test_places_only_grow_from_epoch_to_epoch() -> None:
    before = a_cursor(2**39)
    epoch, after = decided(before, an_inbox(created="tuesday", epoch=None, last=3))
    assert sequence_of(epoch, after + 1) > before.sequence
    assert sequence_of(8_000, 2**40 - 1) < 2**53
