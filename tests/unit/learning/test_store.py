"""The ring holds the newest examples that fit, whatever it was asked meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from eddyline_learning.examples import Example
from eddyline_learning.store import ExampleStore


def an_example(sequence: int, n: int) -> Example:
    """An example whose numbers tell which one it is."""
    return Example(
        slate=f"s{sequence}",
        sequence=sequence,
        occurred_at=sequence,
        items=[f"i{k}" for k in range(n)],
        vectors=(sequence + np.arange(n)[:, None] / 128 + np.zeros((n, 2))).astype(np.float32),
        positions=np.arange(n, dtype=np.int32),
        labels=np.full(n, sequence % 2, np.float32),
        priors=np.zeros(n, np.float32),
    )


def test_the_table_is_the_examples_row_by_row() -> None:
    store = ExampleStore(2, max_rows=1_000)
    examples = [an_example(n, 1 + n % 4) for n in range(1, 100)]
    for example in examples:
        store.append(example)
    table = store.table()
    assert table.n_slates == len(store) == 99
    assert table.n_rows == store.n_rows == sum(len(e.labels) for e in examples)
    assert table.vectors.tobytes() == np.concatenate([e.vectors for e in examples]).tobytes()
    assert table.labels.tolist() == np.concatenate([e.labels for e in examples]).tolist()
    assert table.positions.tolist() == np.concatenate([e.positions for e in examples]).tolist()
    assert table.sizes.tolist() == [len(e.labels) for e in examples]
    assert table.sequences.tolist() == list(range(1, 100))


def test_beyond_its_rows_the_oldest_slates_go_and_the_newest_stay_whole() -> None:
    store = ExampleStore(2, max_rows=50)
    for n in range(1, 20_000):
        store.append(an_example(n, 1 + n % 7))
        assert store.n_rows <= 50
    table = store.table()
    expected: list[Example] = []
    n = 19_999
    while sum(len(e.labels) for e in expected) + 1 + n % 7 <= 50:
        expected.insert(0, an_example(n, 1 + n % 7))
        n -= 1
    assert table.sequences.tolist() == [e.sequence for e in expected]
    assert table.vectors.tobytes() == np.concatenate([e.vectors for e in expected]).tobytes()


def test_the_newest_few_can_be_asked_for() -> None:
    store = ExampleStore(2, max_rows=50)
    for n in range(1, 10):
        store.append(an_example(n, 3))
    table = store.table(newest=2)
    assert table.sequences.tolist() == [8, 9]
    assert table.vectors[0, 0] == 8
    assert store.table(newest=0).n_rows == 0
    assert store.table(newest=100).n_slates == 9


def test_older_slates_are_drawn_at_random_beside_the_newest_and_the_same_for_a_seed() -> None:
    store = ExampleStore(2, max_rows=400)
    for n in range(1, 300):
        store.append(an_example(n, 1 + n % 4))
    held = store.table().sequences.tolist()
    table = store.newest_and_replayed(10, 60, seed=1)
    assert table.sequences[-10:].tolist() == list(range(290, 300))
    older = table.sequences[:-10].tolist()
    assert older == sorted(set(older))
    assert set(older) < set(held)
    n_older = int(table.sizes[:-10].sum())
    assert 60 <= n_older < 64
    assert table.vectors[:, 0].astype(int).tolist() == np.repeat(table.sequences, table.sizes).tolist()
    assert store.newest_and_replayed(10, 60, seed=1).sequences.tolist() == table.sequences.tolist()
    assert store.newest_and_replayed(10, 60, seed=2).sequences.tolist() != table.sequences.tolist()
    assert store.newest_and_replayed(10, 100_000, seed=1).sequences.tolist() == held
    assert store.newest_and_replayed(10, 0, seed=1).n_slates in (10, 11)
    # Where a new world has begun, only what came since is drawn.
    assert store.newest_and_replayed(10, 60, seed=1, among=40).sequences[0] >= 260
    assert store.newest_and_replayed(10, 100_000, seed=1, among=40).sequences.tolist() == list(
        range(260, 300)
    )
    assert store.newest_and_replayed(10, 60, seed=1, among=5).sequences.tolist() == list(range(290, 300))
    n = store.newest_within(60)
    assert store.table(newest=n).n_rows <= 60 < store.table(newest=n + 1).n_rows
    assert store.newest_within(0) == 1


def test_in_files_it_holds_the_same_and_takes_no_more_than_it_may(tmp_path: Path) -> None:
    in_memory, in_files = ExampleStore(2, max_rows=5_000), ExampleStore(2, max_rows=5_000, folder=tmp_path)
    most = 0
    for n in range(1, 8_000):
        for store in (in_memory, in_files):
            store.append(an_example(n, 1 + n % 7))
        if n % 500 == 0:
            most = max(most, sum(path.stat().st_size for path in tmp_path.iterdir()))
            one, other = in_memory.table(), in_files.table()
            assert one.vectors.tobytes() == other.vectors.tobytes()
            assert one.labels.tobytes() == other.labels.tobytes()
            assert one.sequences.tolist() == other.sequences.tolist()
    assert len(list(tmp_path.iterdir())) == 3
    assert 5_000 * 16 <= most <= 2 * 5_000 * 16
    in_files.close()
    assert list(tmp_path.iterdir()) == []


def test_where_the_disk_has_no_room_it_goes_on_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    store = ExampleStore(2, max_rows=1_000, folder=tmp_path)
    for n in range(1, 500):
        store.append(an_example(n, 1 + n % 7))
    assert store.table().sequences[-1] == 499
    assert list(tmp_path.iterdir()) == []


def test_the_vectors_of_a_slate_are_found_by_its_place_while_it_is_held() -> None:
    store = ExampleStore(2, max_rows=50)
    for n in range(1, 200):
        store.append(an_example(n, 1 + n % 7))
        held = {int(sequence) for sequence in store.table().sequences}
        for sequence in (1, n // 2, n - 3, n):
            found = store.vectors_of(sequence)
            assert (found is not None) == (sequence in held)
            if found is not None:
                assert found.tobytes() == an_example(sequence, 1 + sequence % 7).vectors.tobytes()
