"""A digest of examples: equal for whoever read the same events, wherever they were kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from eddyline_learning.examples import Example


class ExamplesDigest:
    """sha256 over slates in their order: id, items, labels, vectors. Not their places: a file has others."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, example: Example) -> None:
        """Count one more."""
        # Each text with its length, so that no two lists of texts look alike.
        for text in (example.slate, *example.items):
            raw = text.encode("utf-8", "surrogatepass")
            self._sha.update(len(raw).to_bytes(8, "little") + raw)
        self._sha.update(len(example.items).to_bytes(8, "little"))
        self._sha.update(example.labels.astype("<f4").tobytes())
        self._sha.update(example.vectors.astype("<f4").tobytes())

    def hexdigest(self) -> str:
        """Of those so far."""
        return self._sha.copy().hexdigest()


def digest_of_examples(examples: Iterable[Example]) -> str:
    """sha256, in hex, of examples in their order."""
    digest = ExamplesDigest()
    for example in examples:
        digest.add(example)
    return digest.hexdigest()
