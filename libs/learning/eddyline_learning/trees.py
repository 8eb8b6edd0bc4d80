"""Boosters put together from trees that were trained one after another, through LightGBM's own text form.

LightGBM sums trees one by one in their order. So a booster that holds all the trees gives the scores that its ONNX
form gives, where adding up two boosters' sums would differ in the last bits.
"""

from __future__ import annotations

import re

import lightgbm as lgb

_SIZES = re.compile(r"^tree_sizes=.*$", re.MULTILINE)
_TREE = re.compile(r"^Tree=\d+$", re.MULTILINE)
_END = "end of trees\n"


def as_text(booster: lgb.Booster, n_trees: int | None = None) -> str:
    """All trees, or the first so many, as LightGBM's text."""
    text: str = booster.model_to_string(num_iteration=-1 if n_trees is None else n_trees, start_iteration=0)
    return text


def from_text(text: str) -> lgb.Booster:
    """The booster of a text; predicts the same to the bit."""
    return lgb.Booster(model_str=text)


def joined(first: str, more: str) -> str:
    """The trees of two boosters, one after another; all else is the first one's."""
    head, trees, rest = _parts(first)
    trees = [*trees, *_parts(more)[1]]
    numbered = [f"Tree={number}\n{body}" for number, body in enumerate(trees)]
    sizes = " ".join(str(len(tree)) for tree in numbered)
    return _SIZES.sub(f"tree_sizes={sizes}", head) + "".join(numbered) + rest


def _parts(text: str) -> tuple[str, list[str], str]:
    """What comes before the trees, each tree without its number, and what comes after."""
    before, _, rest = text.partition(_END)
    head, *trees = _TREE.split(before)
    return head, [tree.removeprefix("\n") for tree in trees], _END + rest
