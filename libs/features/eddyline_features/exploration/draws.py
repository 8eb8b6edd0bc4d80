"""Chance as a function of a name: who asks again, or asks another replica, gets the same draw."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from eddyline_features.exploration.arrays import Numbers


def uniforms(purpose: bytes, name: str, n: int) -> Numbers:
    """``n`` numbers, uniform within (0, 1), that depend on purpose and name alone.

    Of the generator only its raw bits are used, which NumPy promises to keep; its distributions may change.
    """
    seed = int.from_bytes(blake2b(purpose + name.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    raw = np.random.PCG64(seed).random_raw(n)
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(purpose: bytes, name: str, n: int) -> Numbers:
    """``n`` standard normal numbers (Box and Muller 1958), from `uniforms`."""
    half = (n + 1) // 2
    drawn = uniforms(purpose, name, 2 * half)
    radius = np.sqrt(-2.0 * np.log(drawn[:half]))
    angle = 2.0 * np.pi * drawn[half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]
