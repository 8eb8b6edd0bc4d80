"""The live models themselves, behind their names: loaded when they are needed, let go when they are not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.challenger import Challenger
from eddyline_learning.examples import Example
from eddyline_learning.gate import PRIORS
from eddyline_learning.scoring import OnnxScorer, Unreadable, load_outside, slate_by_slate


class ModelLost(LookupError):
    """A model that is compared is not to be had any more: forget what is known, and read the log from its beginning."""


class Lineup:
    """Models by name.

    Parameters
    ----------
    fetch
        Gives one that was not added here, or None.
    """

    def __init__(self, fetch: Callable[[str], Challenger | None]) -> None:
        self._fetch = fetch
        self._models: dict[str, Challenger] = {}
        self._scorers: dict[str, OnnxScorer | Unreadable] = {}

    def add(self, made: Challenger) -> None:
        """Have this one at hand."""
        self._models[made.bundle.model] = made

    def has(self, model: str) -> bool:
        """Whether it is to be had; loads it."""
        if model not in self._models:
            found = self._fetch(model)
            if found is not None:
                self._models[model] = found
        return model in self._models

    def model(self, model: str) -> Challenger:
        """The model of this name.

        Raises
        ------
        ModelLost
            If it is not to be had.
        """
        if not self.has(model):
            raise ModelLost(f"model {model} is compared, and nobody has it")
        return self._models[model]

    def why_unreadable(self, model: str) -> str | None:
        """Why a model that was made elsewhere cannot be loaded any more; None for one that can, and for any of ours."""
        if model == PRIORS or not self.model(model).is_outside:
            return None
        scorer = self._scorer(model)
        return scorer.reason if isinstance(scorer, Unreadable) else None

    def keep(self, models: Collection[str]) -> None:
        """Let go of all others."""
        for held in (self._models, self._scorers):
            for model in [model for model in held if model not in models]:
                del held[model]

    def scores(
        self, models: Sequence[str], examples: Sequence[Example], *, position: int | None = None
    ) -> list[NDArray[np.float64]]:
        """Raw scores of all rows of the examples by each model, M times shape (R,); for `PRIORS` the priors.

        Parameters
        ----------
        position
            A column that is to say where each item was shown, instead of what was served: whoever foresees a click must
            know that.
        """
        vectors = np.concatenate([example.vectors for example in examples])
        if position is not None:
            vectors[:, position] = np.concatenate([example.positions for example in examples])
        found = []
        for model in models:
            if model == PRIORS:
                priors = np.concatenate([example.priors for example in examples])
                found.append(priors.astype(np.float64))
                continue
            scorer = self._scorer(model)
            if self.model(model).is_outside:
                ends = np.cumsum([len(example.vectors) for example in examples])
                found.append(slate_by_slate(scorer, np.split(vectors, ends[:-1])))
            else:
                found.append(scorer.raw_scores(vectors))
        return found

    def _scorer(self, model: str) -> OnnxScorer | Unreadable:
        if model not in self._scorers:
            told = self.model(model)
            load = load_outside if told.is_outside else OnnxScorer
            self._scorers[model] = load(told.bundle.onnx)
        return self._scorers[model]
