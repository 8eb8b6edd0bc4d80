"""A sentence encoder as files: ``model.onnx`` and ``tokenizer.json``, the transformer and the words it knows.

Mean pooling over the tokens that are there, then length 1 (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019), unless
the model pools by itself, when its output has one row a text. One thread of ONNX Runtime: the same vectors whatever
else the machine does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from eddyline_contracts.limits import MAX_DIMS
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
        # It would take as many threads as there are cores, none of them as unhurried as the one that asks.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
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
        self.id = _digest(model, tokenizer, max_tokens)
        self.dims = self._try(model, tokenizer)

    def _try(self, model: Path, tokenizer: Path) -> int:
        """Numbers of a vector. What cannot be read is to be known now, and not when some item comes to say it."""
        last = max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
        try:
            dims = int(self._run([[last], [0, 0, 0]]).shape[1])
        except Exception as error:  # as above
            raise EncoderUnusable(
                f"{model} cannot read what {tokenizer} makes of a text: take both from the same sentence encoder "
                f"({error})"
            ) from error
        if not 1 <= dims <= MAX_DIMS:
            raise EncoderUnusable(
                f"{model} gives {dims:,} numbers a text, and at most {MAX_DIMS:,} are taken: name a sentence encoder"
            )
        return dims

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.embed`. Texts of about the same length share a run, so that little is padded."""
        told = [one.ids for one in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(told)), key=lambda at: len(told[at]))
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

    def _run(self, told: Sequence[Sequence[int]]) -> Vectors:
        longest = max(1, *map(len, told))
        feeds = {name: np.zeros((len(told), longest), np.int64) for name in _FEEDS}
        for row, one in enumerate(told):
            feeds["input_ids"][row, : len(one)] = one
            feeds["attention_mask"][row, : len(one)] = 1
        hidden = self._model.run(None, {name: feeds[name] for name in self._feeds})[0]
        if hidden.ndim not in (2, 3) or hidden.shape[:-1] != (len(told), longest)[: hidden.ndim - 1]:
            raise ValueError(
                f"for {len(told)} texts of {longest} tokens it gives numbers of shape {hidden.shape}, where a row a "
                "text, or a token, is expected"
            )
        if hidden.ndim == 3:
            here = feeds["attention_mask"][:, :, None].astype(np.float32)
            hidden = (hidden * here).sum(axis=1) / np.maximum(here.sum(axis=1), 1.0)
        return to_length_1(hidden)


def _digest(model: Path, tokenizer: Path, max_tokens: int) -> str:
    digest = hashlib.sha256()
    raw = model.read_bytes()
    # Weights of a large model may lie in files of their own, which it names.
    beside = sorted(
        path
        for path in model.parent.iterdir()
        if path not in (model, tokenizer) and path.is_file() and path.name.encode() in raw
    )
    for path in (model, tokenizer, *beside):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    digest.update(f"mean, {max_tokens} tokens".encode())
    return f"sentences-{digest.hexdigest()[:16]}"


_TOGETHER = 8
"""Texts in a run: more take no less time each on one thread, and more memory."""


def to_length_1(vectors: Vectors) -> Vectors:
    """Each row divided by its length; rows of 0, and what is not finite, are 0."""
    vectors = np.where(np.isfinite(vectors), vectors, 0.0).astype(np.float32)
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    unit: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0.0)
    return unit
