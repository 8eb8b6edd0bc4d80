"""The ring holds the newest examples that fit, whatever it was asked meanwhile."""

from __future__ import annotations

import numpy as np

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
