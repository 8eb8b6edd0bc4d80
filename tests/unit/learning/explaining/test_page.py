"""The example of docs/explanations.md is what a model says."""

from __future__ import annotations

import re
from pathlib import Path

import lightgbm as lgb
import msgspec
import numpy as np

from eddyline_features.view import load_view
from eddyline_learning.explaining.explanations import ModelExplainer, explanations
from eddyline_learning.explaining.sentences import Speaker, Words
from eddyline_learning.onnx_export import export
from tests.support.bundles import a_bundle

PAGE = (Path(__file__).parents[4] / "docs" / "explanations.md").read_text()


def test_the_example_is_what_the_model_says() -> None:
    settings, declaration = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    view = load_view(declaration + settings)
    (text,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    head, *lines = text.splitlines()
    assert head.split("|")[0].split() == ["price", "brand", "clicks", "since"]

    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 10, (2_000, 4)).astype(np.float32)
    told = {
        "objective": "regression",
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 8,
        "boost_from_average": False,
    }
    booster = lgb.train(told, lgb.Dataset(rows, rows[:, 1] - rows[:, 0]), 20)
    onnx, covers = export(booster, 4)
    bundle = a_bundle(view.id, view.columns, onnx=onnx)
    model = ModelExplainer(msgspec.structs.replace(bundle, covers=covers.astype("<i4").tobytes()), view)

    vectors = np.array([line.split("|")[0].split()[1:] for line in lines], np.float32)
    words = [Words({"brand": [name]}) for name in ("Acme", "Bolt", "Core")]
    for column, language in enumerate(("en", "fr")):
        found = explanations(
            model,
            vectors,
            speaker=Speaker(view.explanations),
            language=language,
            sources=[None] * 3,
            words=words,
        )
        expected = [re.split(r"\s{2,}", line.split("|")[1].strip())[column] for line in lines]
        assert [one.sentence for one in found] == expected
