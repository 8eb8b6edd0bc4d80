"""Content neighbours: sketches find nearly all that comparing everything finds, and only what may be found."""

from __future__ import annotations

import numpy as np
import pytest

from eddyline_contracts.events import ItemEmbedded
from eddyline_features.entities import Items
from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import Ints, Octets
from eddyline_features.retrieval.alike import MOST_DIMS, Alike


def items_with_vectors(n: int, dims: int, rank: int, seed: int = 3) -> tuple[Alike, ItemVectors, Items]:
    """Vectors as texts have them: most of what they say in a few directions."""
    rng = np.random.default_rng(seed)
    items = Items(n, n_numbers=0, n_values=0, n_counters=0)
    content = ItemVectors(n, 1_024)
    alike = Alike(items, content, np.zeros(n), np.ones(n))
    vectors = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, dims)) + 0.3 * rng.normal(size=(n, dims))
    scaled = np.clip(np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127), -127, 127)
    for row in range(n):
        items.touch(f"i{row}", 0)
        told = scaled[row].astype(np.int8).tobytes()
        content.put(
            row, ItemEmbedded(item=f"i{row}", encoder="e", dims=dims, scale=1.0, vector=told, text="x")
        )
        alike.embedded(row)
    return alike, content, items


def found_by(alike: Alike, wanted: np.ndarray, blocked: Octets, n: int) -> list[int]:
    scores, rows = np.zeros(2 * n), np.zeros(2 * n, np.int32)
    found: list[int] = rows[: alike.best(wanted, blocked, n, scores, rows)].tolist()
    return found


@pytest.mark.parametrize(("dims", "rank"), [(384, 24), (60, 12), (5, 5)])
def test_nearly_all_of_the_nearest_are_found_and_in_their_order(dims: int, rank: int) -> None:
    n, most = 6_000, 30
    alike, content, _ = items_with_vectors(n, dims, rank)
    blocked: Octets = (np.arange(n) % 3 == 0).astype(np.uint8)
    hits = 0
    for start in range(20):
        recent: Ints = np.arange(start, start + 5, dtype=np.int32)
        wanted = alike.mean_of(recent)
        assert wanted is not None
        cosines = content.vectors.astype(np.float64) @ wanted
        cosines[blocked == 1] = -9.0
        nearest = np.argsort(-cosines, kind="stable")[:most].tolist()
        found = found_by(alike, wanted, blocked, most)
        assert len(set(found)) == len(found) == most
        assert not blocked[found].any()
        assert [round(cosines[row], 9) for row in found] == sorted(np.round(cosines[found], 9), reverse=True)
        hits += len(set(nearest) & set(found))
    assert hits / (20 * most) >= 0.95


def test_items_without_a_vector_are_near_to_nothing() -> None:
    alike, content, _ = items_with_vectors(50, 16, 4)
    for row in range(0, 50, 2):
        content.forget(row)
    assert alike.mean_of(np.array([0, 2], np.int32)) is None
    wanted = alike.mean_of(np.array([0, 1], np.int32))
    assert wanted is not None
    found = found_by(alike, wanted, np.zeros(50, np.uint8), 50)
    assert found[0] == 1
    assert all(row % 2 for row in found)


def test_long_vectors_are_shortened_and_stay_about_as_alike() -> None:
    alike, content, _ = items_with_vectors(200, 384, 8)
    content.forget(7)
    rows: Ints = np.arange(200, dtype=np.int32)
    short = alike.vectors_of(rows).astype(np.float64)
    assert short.shape == (200, MOST_DIMS)
    assert not short[7].any()
    known = rows != 7
    np.testing.assert_allclose((short[known] ** 2).sum(axis=1), 1.0, rtol=1e-5)
    whole = content.vectors.astype(np.float64)
    apart = (short @ short.T - whole @ whole.T)[known][:, known]
    assert np.sqrt((apart**2).mean()) < 1.2 / np.sqrt(MOST_DIMS)


def test_short_vectors_are_given_as_they_are() -> None:
    alike, content, _ = items_with_vectors(20, 16, 4)
    rows: Ints = np.array([3, 19], np.int32)
    assert alike.vectors_of(rows).tobytes() == content.vectors[rows].tobytes()
