"""Which bundles can be served."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from eddyline_ranker.errors import UnusableBundle
from eddyline_ranker.model import load_model
from tests.support.bundles import a_bundle, linear_onnx, scores_by

COLUMNS = ["a", "b", "c"]


def test_a_loaded_model_gives_the_scores_of_its_graph() -> None:
    bundle = a_bundle("v-1", COLUMNS, seed=3)
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    vectors[::7] = np.nan
    assert load_model(bundle).score(vectors).tolist() == scores_by(bundle, vectors)


def test_priors_of_items_that_are_not_listed_are_the_default() -> None:
    model = load_model(a_bundle("v-1", COLUMNS, priors={"x": 0.25, "y": 0.75}))
    assert model.prior_scores(["y", "nobody", "x"]).tolist() == [0.75, 0.5, 0.25]


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        (a_bundle("v-1", [*COLUMNS, "d"], onnx=linear_onnx(3, 0)), "3 columns, the bundle names 4"),
        (a_bundle("v-1", COLUMNS, onnx=b"no graph"), "cannot load"),
        (msgspec.structs.replace(a_bundle("v-1", COLUMNS), prior_items=["x"]), "1 prior items have 0 scores"),
    ],
)
def test_a_bundle_that_contradicts_itself_is_refused(bundle: object, why: str) -> None:
    with pytest.raises(UnusableBundle, match=why):
        load_model(bundle)  # type: ignore[arg-type]
