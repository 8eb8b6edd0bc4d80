"""What every encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class EncoderUnusable(ValueError):
    """An encoder that cannot be loaded; the text says why, and what to do."""


class Encoder(Protocol):
    """Texts to vectors. Another id means that vectors cannot be compared."""

    @property
    def id(self) -> str:
        """A digest of all that decides about its vectors."""

    @property
    def dims(self) -> int:
        """Numbers of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1, or 0 where a text says nothing, shape (texts, dims). Blocks for as long as it takes."""
