"""A bundle, made ready to serve: immutable, so that one reference to it is one model from start to end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from eddyline_contracts.bundle import Bundle
from eddyline_features.view import View
from eddyline_learning.explaining.explanations import ModelExplainer
from eddyline_ranker.errors import UnusableBundle

_WARM_ROWS = (1, 100, 1_000)
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """A loaded and warmed model with its papers."""

    name: str
    view: str
    """Feature view that its columns are of."""
    columns: tuple[str, ...]
    """Names of its F columns, in order."""
    session: Any
    """The onnxruntime session."""
    input_name: str
    output_name: str
    objective: str
    """What its scores are: `rank`, `click` (log-odds) or `rating` (values)."""
    priors: dict[str, float]
    """How good an item is when nothing else is known."""
    prior_default: float
    priors_sequence: int
    """Log position up to which none of the priors' items was removed, or else is back."""
    explainer: ModelExplainer
    """What its scores are made of; for one thread at a time."""

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.columns)

    def score(self, vectors: npt.NDArray[np.float32]) -> Scores:
        """Raw scores, shape (N,), of vectors of shape (N, F)."""
        (scores,) = self.session.run((self.output_name,), {self.input_name: vectors})
        scores = np.asarray(scores, dtype=np.float64)
        # Models that were made elsewhere often give a column.
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores

    def prior_scores(self, items: list[str]) -> Scores:
        """Item priors, shape (N,)."""
        of, default = self.priors.get, self.prior_default
        return np.array([of(item, default) for item in items], dtype=np.float64)

    def best_by_prior(self, n: int, exclude: Collection[str]) -> list[str]:
        """At most ``n`` items of the bundle, the best first; of equal ones those first that it names first."""
        return list(islice((item for item in self._by_prior if item not in exclude), n))

    @cached_property
    def _by_prior(self) -> list[str]:
        # Made only where features are lost, and then once: there may be a hundred thousand.
        order = np.argsort(-np.fromiter(self.priors.values(), np.float64, len(self.priors)), kind="stable")
        items = list(self.priors)
        return [items[at] for at in order.tolist()]


def load_model(bundle: Bundle, declared: View | None = None) -> Model:
    """Build the session and run it until it is warm; takes tens of milliseconds, so not on the event loop.

    ``declared`` is the view in use: what it says about explanations goes before what the bundle's says.

    Raises
    ------
    UnusableBundle
        If the graph does not take the bundle's columns, does not give one score a row, or does not run.
    """
    n_features = len(bundle.features)
    if len(bundle.prior_scores) != 4 * len(bundle.prior_items):
        raise UnusableBundle(
            f"{len(bundle.prior_items)} prior items have {len(bundle.prior_scores) // 4} scores"
        )
    try:
        session = onnxruntime.InferenceSession(bundle.onnx, _options(), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UnusableBundle(f"onnxruntime cannot load it: {error}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise UnusableBundle(f"{len(inputs)} inputs and {len(outputs)} outputs; one of each is expected")
    if inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        raise UnusableBundle(f"the input is {inputs[0].type} {inputs[0].shape}; (N, F) float32 is expected")
    if inputs[0].shape[1] != n_features:
        raise UnusableBundle(f"the input has {inputs[0].shape[1]} columns, the bundle names {n_features}")
    priors = np.frombuffer(bundle.prior_scores, dtype="<f4").tolist()
    model = Model(
        name=bundle.model,
        view=bundle.view,
        columns=tuple(bundle.features),
        session=session,
        input_name=inputs[0].name,
        output_name=outputs[0].name,
        objective=bundle.objective,
        priors=dict(zip(bundle.prior_items, priors, strict=True)),
        prior_default=bundle.prior_default,
        priors_sequence=bundle.priors_sequence,
        explainer=ModelExplainer(bundle, declared),
    )
    _warm(model)
    return model


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    # With two threads sums differ in the last bits; spinning would take the other services' core.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _warm(model: Model) -> None:
    for n_rows in _WARM_ROWS:
        rows = np.full((n_rows, model.n_features), np.nan, dtype=np.float32)
        try:
            scores = model.score(rows)
        except Exception as error:
            raise UnusableBundle(f"it does not run on {n_rows} rows: {error}") from error
        if scores.shape != (n_rows,):
            raise UnusableBundle(
                f"{n_rows} rows give an answer of shape {scores.shape}; one score a row is expected"
            )
