"""A sentence encoder as files: ``model.onnx`` and ``tokenizer.json``, the transformer and the words it knows.

Mean pooling over the tokens that are there, then length 1 (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019), unless
the model pools by itself, when its output has one row a text. One thread of ONNX Runtime: the same vectors whatever
else the machine does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from eddyline_encoding.encoder import EncoderUnusable, Vectors

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
MAX_TOKENS = 128
"""Of a text: what all-MiniLM-L6-v2 was trained on; twice as many take twice as long."""
_FEEDS = ("input_ids", "attention_mask", "token_type_ids")


class SentenceEncoder:
    """As `Encoder`."""

    def __init__(self, model: Path, tokenizer: Path, *, max_tokens: int = MAX_TOKENS) -> None:
        """Load it; takes a second or so.

        Raises
        ------
        EncoderUnusable
            If a file is missing or is not what it should be.
        """
        for path in (model, tokenizer):
            if not path.is_file():
                raise EncoderUnusable(
                    f"there is no {path}: a folder with a sentence encoder holds {MODEL} and {TOKENIZER}"
                )
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # the library raises plain exceptions
            raise EncoderUnusable(f"{tokenizer} is no tokenizer: {error}") from error
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._model = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # as above
            raise EncoderUnusable(f"{model} is no ONNX model that can run here: {error}") from error
        self._feeds = [told.name for told in self._model.get_inputs()]
        unknown = sorted(set(self._feeds) - set(_FEEDS))
        if unknown or _FEEDS[0] not in self._feeds:
            raise EncoderUnusable(
                f"{model} asks for {', '.join(self._feeds)}: a sentence encoder takes {', '.join(_FEEDS)}"
            )
        digest = hashlib.sha256()
        for path in (model, tokenizer):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(f"mean, {max_tokens} tokens".encode())
        self.id = f"sentences-{digest.hexdigest()[:16]}"
        self.dims = self.embed(["a"]).shape[1]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.embed`. Texts of about the same length share a run, so that little is padded."""
        told = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(told)), key=lambda at: len(told[at].ids))
        found: list[Vectors | None] = [None] * len(told)
        for start in range(0, len(order), _TOGETHER):
            places = order[start : start + _TOGETHER]
            for place, vector in zip(places, self._run([told[at] for at in places]), strict=True):
                found[place] = vector
        return (
            np.stack([vector for vector in found if vector is not None])
            if found
            else np.zeros((0, self.dims), np.float32)
        )

    def _run(self, told: list[Any]) -> Vectors:
        longest = max(1, max(len(one.ids) for one in told))
        feeds = {name: np.zeros((len(told), longest), np.int64) for name in _FEEDS}
        for row, one in enumerate(told):
            feeds["input_ids"][row, : len(one.ids)] = one.ids
            feeds["attention_mask"][row, : len(one.ids)] = one.attention_mask
        hidden = self._model.run(None, {name: feeds[name] for name in self._feeds})[0]
        if hidden.ndim == 3:
            here = feeds["attention_mask"][:, :, None].astype(np.float32)
            hidden = (hidden * here).sum(axis=1) / np.maximum(here.sum(axis=1), 1.0)
        return to_length_1(hidden)


_TOGETHER = 8
"""Texts in a run: more take no less time each on one thread, and more memory."""


def to_length_1(vectors: Vectors) -> Vectors:
    """Each row divided by its length; rows of 0, and what is not finite, are 0."""
    vectors = np.where(np.isfinite(vectors), vectors, 0.0).astype(np.float32)
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    unit: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0.0)
    return unit
