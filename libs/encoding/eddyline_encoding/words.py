"""The encoder that needs no model: hashed words, weighted by how rare they are, in a space of a few dimensions.

Latent semantic analysis (Deerwester et al., JASIS 1990) by scikit-learn. It is fitted to the first texts of the log, so
it is a function of the log, and nothing has to be kept: whoever reads the log fits it again. It is fitted anew each
time their number doubles, up to a bound, and then stays as it is. Each fit is an encoder of its own.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from threadpoolctl import threadpool_limits

from eddyline_encoding.encoder import Vectors
from eddyline_encoding.sentences import to_length_1

DIMS = 128
_HASHES = 1 << 16


class WordEncoder:
    """As `Encoder`."""

    def __init__(self, texts: Sequence[str], dims: int = DIMS) -> None:
        """Fit it: to at least two texts, in the order of the log."""
        self._hashing = HashingVectorizer(
            n_features=_HASHES, alternate_sign=False, ngram_range=(1, 2), norm=None
        )
        self._rarity = TfidfTransformer(sublinear_tf=True)
        self.dims = max(1, min(dims, len(texts) // 2))
        self._space = TruncatedSVD(self.dims, random_state=0, n_iter=4)
        with _alone():
            counts = self._hashing.transform(texts)
            self._space.fit(self._rarity.fit_transform(counts))
        digest = hashlib.sha256()
        for array in (self._rarity.idf_, self._space.components_):
            # By what it does: linear algebra differs in the last bits from one processor to another, and then it is
            # another encoder.
            digest.update(np.ascontiguousarray(array, "<f8").tobytes())
        self.id = f"tfidf-{digest.hexdigest()[:16]}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.embed`."""
        if not texts:
            return np.zeros((0, self.dims), np.float32)
        with _alone():
            found = self._space.transform(self._rarity.transform(self._hashing.transform(texts)))
        return to_length_1(found)


class _alone:
    """One thread, and no word about texts that say nothing."""

    def __enter__(self) -> None:
        self._limits = threadpool_limits(1)
        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        warnings.simplefilter("ignore", RuntimeWarning)

    def __exit__(self, *error: object) -> None:
        self._quiet.__exit__(None, None, None)
        self._limits.restore_original_limits()
