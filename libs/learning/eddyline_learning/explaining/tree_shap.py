"""Exact TreeSHAP, path-dependent: what each column adds to a score, beside what the model says of nobody in particular.

The game is that of Lundberg, Erion and Lee (arXiv:1802.03888; Lundberg et al., Nature Machine Intelligence 2, 2020): a
column that is not known goes both ways at a split, in proportion to the training rows that went there. Each leaf is a
game of its own over the columns on its path, as in GPUTreeShap (Mitchell, Frank and Holmes, PeerJ CS 2022): with o₍ⱼ₎
= 1 where the row takes all of the path's turns at column j and else 0, and z₍ⱼ₎ the share of rows that take them, it is
worth v · ∏ (o or z). Its Shapley value is the integral of its multilinear extension's slope along the diagonal (Owen,
Management Science 18, 1972)

    φ₍ᵢ₎ = v (o₍ᵢ₎ − z₍ᵢ₎) ∫₀¹ ∏₍ⱼ≠ᵢ₎ (t o₍ⱼ₎ + (1 − t) z₍ⱼ₎) dt,

of a polynomial in t, which Gauss-Legendre quadrature with half as many points as there are columns gives exactly. All
factors are positive, so nothing cancels; and all leaves and rows are computed at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.explaining.served_trees import Doubles, Ints, NoTrees, ServedTrees

_ROWS_AT_ONCE = 16
"""So much is computed at once that other threads need not wait long, and memory stays small."""


@dataclass(frozen=True, slots=True, eq=False)
class _Paths:
    """P paths to leaves with U different columns on each."""

    shares: Doubles
    """shape (P, U): z, of each column the share of rows that take all turns of the path at it."""
    values: Doubles
    """shape (P,): of the leaves."""
    turns: Ints
    """The turns of all paths, path by path and column by column: twice the node, and 1 more for left."""
    starts: Ints
    """shape (P · U,): where the turns of each path and column begin."""
    points: Doubles
    """Where the integrand is computed, in (0, 1)."""
    weights: Doubles

    def add(self, takes: NDArray[np.bool_]) -> Doubles:
        """What each column on each path adds: shape (N, P · U).

        ``takes``, shape (N, 2 B): whether a row takes a turn.
        """
        n = len(takes)
        on = np.logical_and.reduceat(takes[:, self.turns], self.starts, axis=1)
        on = on.reshape(n, *self.shares.shape)
        total = np.zeros(on.shape)
        for point, weight in zip(self.points, self.weights, strict=True):
            off = (1.0 - point) * self.shares
            factors = np.where(on, point + off, off)
            product = factors.prod(axis=2, keepdims=True)
            product *= weight
            total += np.divide(product, factors, out=factors)
        total *= on - self.shares
        total *= self.values[:, None]
        return total.reshape(n, -1)


class TreeExplainer:
    """A model's trees, made ready to explain: tens of milliseconds for a hundred trees.

    Parameters
    ----------
    trees
        As they serve.
    covers
        shape (L,): training rows that came to each leaf.

    Raises
    ------
    NoTrees
        If the covers are not of these trees.

    Attributes
    ----------
    mean
        Score of the model without knowing anything: the mean over its training rows, by the covers.
    """

    def __init__(self, trees: ServedTrees, covers: Ints) -> None:
        if len(covers) != len(trees.leaves):
            raise NoTrees(f"{len(covers)} counts of rows for {len(trees.leaves)} leaves")
        self._trees = trees
        # No division by zero where a leaf has no row: it counts as if it had one.
        self._covers = np.maximum(covers, 1)
        self._node_covers = np.zeros(len(trees.features), np.int64)
        self.mean = trees.bias
        found: dict[int, list[_Path]] = defaultdict(list)
        for root in trees.roots.tolist():
            self._walk(root, found)
        self._groups: list[_Paths] = []
        features: list[int] = []
        for n_columns in sorted(found):
            self._groups.append(_packed(found[n_columns], n_columns))
            features += [feature for path in found[n_columns] for feature in path.columns]
        of_entries = np.array(features, np.int64)
        self._by_feature = np.argsort(of_entries, kind="stable")
        self._features, self._starts = np.unique(of_entries[self._by_feature], return_index=True)

    def contributions(self, vectors: NDArray[np.float32]) -> Doubles:
        """What each column adds to the scores of N rows: shape (N, F). They and `mean` sum up to the raw scores."""
        adds = np.zeros(vectors.shape)
        if len(self._features):
            for first in range(0, len(vectors), _ROWS_AT_ONCE):
                rows = slice(first, first + _ROWS_AT_ONCE)
                left = self._trees.goes_left(vectors[rows])
                takes = np.stack([~left, left], axis=2).reshape(len(left), -1)
                entries = np.concatenate([group.add(takes) for group in self._groups], axis=1)
                adds[rows, self._features] = np.add.reduceat(
                    entries[:, self._by_feature], self._starts, axis=1
                )
        return adds

    def shares_below(self, vectors: NDArray[np.float32]) -> Doubles:
        """Of each column the share of its splits, by training rows, that its value lies above: shape (N, F).

        So 1 is larger than all that the trees tell apart, and 0 not larger than the smallest; NaN where the value is
        unknown, and where no split asks the column how large it is.
        """
        trees = self._trees
        nodes = np.flatnonzero(~trees.asks_codes & (self._node_covers > 0))
        features, weights = trees.features[nodes], self._node_covers[nodes].astype(np.float64)
        wide = vectors.astype(np.float64)
        whole = np.bincount(features, weights, vectors.shape[1])
        below = np.stack(
            [
                np.bincount(features, weights * (row[features] > trees.splits[nodes]), vectors.shape[1])
                for row in wide
            ]
        )
        shares: Doubles = np.divide(below, whole, out=np.full(below.shape, np.nan), where=whole > 0)
        shares[np.isnan(wide)] = np.nan
        return shares

    def _walk(self, root: int, found: dict[int, list[_Path]]) -> None:
        """Find the paths of a tree, and its mean."""
        trees, children, are_leaves = self._trees, self._trees.children, self._trees.are_leaves
        if are_leaves[root].all() and children[root, 0] == children[root, 1]:
            # A tree of one leaf, to which both ways lead.
            self.mean += float(trees.leaves[children[root, 0]])
            return
        order = [root]
        for node in order:
            order += [
                int(child)
                for child, is_leaf in zip(children[node], are_leaves[node], strict=True)
                if not is_leaf
            ]
        covers = self._node_covers
        for node in reversed(order):
            covers[node] = sum(self._cover(node, side) for side in (0, 1))
        stack: list[tuple[int, dict[int, tuple[float, list[int]]]]] = [(root, {})]
        while stack:
            node, before = stack.pop()
            feature = int(trees.features[node])
            share, turns = before.get(feature, (1.0, []))
            for side in (1, 0):
                part = self._cover(node, side) / int(covers[node])
                path = {**before, feature: (share * part, [*turns, 2 * node + (side == 0)])}
                child = int(children[node, side])
                if are_leaves[node, side]:
                    value = float(trees.leaves[child])
                    self.mean += value * int(self._covers[child]) / int(covers[root])
                    found[len(path)].append(_Path(path, value))
                else:
                    stack.append((child, path))

    def _cover(self, node: int, side: int) -> int:
        child = self._trees.children[node, side]
        return int(self._covers[child] if self._trees.are_leaves[node, side] else self._node_covers[child])


@dataclass(frozen=True, slots=True)
class _Path:
    columns: dict[int, tuple[float, list[int]]]
    """Of each column its share and its turns."""
    value: float


def _packed(paths: list[_Path], n_columns: int) -> _Paths:
    entries = [entry for path in paths for entry in path.columns.values()]
    points, weights = np.polynomial.legendre.leggauss((n_columns + 1) // 2)
    sizes = [len(turns) for _, turns in entries]
    return _Paths(
        shares=np.array([share for share, _ in entries]).reshape(len(paths), n_columns),
        values=np.array([path.value for path in paths]),
        turns=np.array([turn for _, turns in entries for turn in turns], np.int64),
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        points=(points + 1.0) / 2.0,
        weights=weights / 2.0,
    )
