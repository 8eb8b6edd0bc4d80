"""Kernels that are bound to arrays: what is given and what is bound reaches its place, and nothing else is taken."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from eddyline_features import decay
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, Singles


@bound_kernel("times", "share", "rows")
def spread(
    first: Longs,
    times: int,
    table: FloatTable,
    rows: Ints,
    most: int,
    codes: IntTable,
    share: float,
    singles: Singles,
) -> float:
    """Touches each of its arrays in another way."""
    for i in range(rows.shape[0]):
        table[rows[i], 1] += share * times
        codes[rows[i], 2] = codes.shape[0] * 100 + codes.shape[1] * 10 + most
    first[0] = first.shape[0]
    singles[singles.shape[0] - 1] = share
    return float(table[rows[0], 1])


def arrays() -> tuple[Longs, FloatTable, IntTable, Singles]:
    return np.zeros(3, np.int64), np.zeros((4, 2)), np.zeros((4, 3), np.int32), np.zeros(5, np.float32)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_is_given_and_what_is_bound_reaches_its_place(compiled: bool) -> None:
    first, table, codes, singles = arrays()
    bound = {"first": first, "table": table, "most": 7, "codes": codes, "singles": singles}
    call = spread.bind(**bound) if compiled else spread._uncompiled(bound)
    rows = np.array([3, 1], np.int32)
    assert call(2, 0.25, rows) == 0.5
    assert call(2, 0.25, rows[:1]) == 1.0
    assert table.tolist() == [[0, 0], [0, 0.5], [0, 0], [0, 1.0]]
    assert codes[:, 2].tolist() == [0, 437, 0, 437]
    assert (first[0], singles[4]) == (3, 0.25)


def test_two_states_are_bound_apart() -> None:
    out: list[Floats] = [np.zeros(1), np.zeros(1)]
    calls = [
        decay.weights.bind(half_lives=np.array([1_000]), landmarks=np.array([landmark]), out=one)
        for landmark, one in zip((0, 1), out, strict=True)
    ]
    for call in calls:
        call(2_000)
    assert [one[0] for one in out] == [4.0, 2.0]


def test_a_bound_call_keeps_its_arrays_alive() -> None:
    half_lives = np.array([1_000])
    alive = weakref.ref(half_lives)
    out: Floats = np.zeros(1)
    call = decay.weights.bind(half_lives=half_lives, landmarks=np.zeros(1, np.int64), out=out)
    del half_lives
    gc.collect()
    assert alive() is not None
    call(3_000)
    assert out[0] == 8.0
    del call
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"first": np.zeros(3)}, "first must be int64"),
        ({"table": np.zeros(4)}, "table must be float64"),
        ({"table": np.zeros((4, 4))[:, ::2]}, "table must be float64"),
        ({"rows": np.zeros(1, np.int32)}, "spread binds first, table, most, codes, singles"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(wrong: dict[str, object], told: str) -> None:
    first, table, codes, singles = arrays()
    bound = {"first": first, "table": table, "most": 7, "codes": codes, "singles": singles}
    with pytest.raises(TypeError, match=told):
        spread.bind(**{**bound, **wrong})
