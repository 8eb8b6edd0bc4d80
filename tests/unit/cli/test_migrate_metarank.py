"""``eddyline migrate metarank``: what comes out always loads, and nothing is left out without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_cli.main import main
from eddyline_cli.migrating.mapped import NEAR, NEEDLESS, NOT_YET, SAME
from eddyline_cli.migrating.metarank_features import EXTRACTORS
from eddyline_cli.migrating.metarank_text import read_config
from eddyline_cli.migrating.metarank_view import Migrated, migrate
from eddyline_features.declarations.count import Count
from eddyline_features.declarations.cross_rate import CrossRate
from eddyline_features.declarations.diversity import Diversity
from eddyline_features.declarations.field_match import FieldMatch
from eddyline_features.declarations.fields import Boolean, Categories, Number
from eddyline_features.declarations.interacted_with import InteractedWith
from eddyline_features.declarations.position import Position
from eddyline_features.declarations.vector import Vector
from eddyline_features.declarations.windows import WindowCount, WindowRate
from eddyline_features.view import View, load_view

MINUTE, DAY = 60_000, 86_400_000
SAMPLE = """
features:
  - {name: popularity, type: number, scope: item, source: item.popularity, ttl: 60d, refresh: 1h}
  - {name: genre, type: string, scope: item, source: item.genres, values: [drama, comedy, thriller]}
models:
  default:
    type: lambdamart
    backend: {type: xgboost, iterations: 100, seed: 0}
    weights: {click: 1}
    features: [popularity, genre]
  random: {type: shuffle, maxPositionChange: 5}
  similar: {type: als, interactions: [click], factors: 100}
state: {type: memory}
core: {clickthrough: {maxParallelSessions: 10000, maxSessionLength: 45m}}
"""
RANKLENS = """
interactions:
  - {name: click, weight: 1.0}
features:
  - {name: popularity, type: number, scope: item, source: metadata.popularity}
  - {name: title_length, type: word_count, source: metadata.title, scope: item}
  - {name: n_tags, type: list_size, source: metadata.tags, scope: item}
  - {name: genre, type: string, scope: item, source: metadata.genres, encode: onehot, values: [drama, comedy]}
  - {name: ctr, type: rate, top: click, bottom: impression, scope: item, bucket: 24h, periods: [7, 30]}
  - {name: liked_genre, type: interacted_with, interaction: click, field: metadata.genres, scope: session,
     count: 10, duration: 24h}
  - {name: position, type: position, position: 5}
"""


def migrated(text: str, **options: Any) -> tuple[View, Migrated, dict[str, str]]:
    """The view, what was told, and the verdict on each part by its first word."""
    made = migrate(read_config(text), **options)
    return load_view(made.text), made, {one.what.split()[0]: one.verdict for one in made.report}


def one(feature: str) -> tuple[View, Migrated, dict[str, str]]:
    return migrated(f"features:\n  - {feature}\n")


def test_the_documented_sample_becomes_a_view_and_a_report() -> None:
    view, made, verdicts = migrated(SAMPLE)
    assert view.columns == ["popularity", "genre"]
    assert view.label_window_ms == 45 * MINUTE
    assert (view.learning.objective, view.learning.trees, view.learning.seed) == ("rank", 100, 0)
    assert view.actions["click"].gain == 1
    assert verdicts["popularity"] == SAME
    assert verdicts["genre"] == NEAR
    assert (verdicts["refresh"], verdicts["ttl"], verdicts["state"]) == (NEEDLESS, NEAR, NEEDLESS)
    told = {mapped.what: mapped.note for mapped in made.report}
    assert "EDDYLINE_METARANK_MODELS" in told["model random (shuffle)"]
    assert "/v1/similar" in told["model similar (als)"]
    assert (view.recommend is not None, view.online is not None) == (True, True)


def test_models_that_recommend_become_sections_that_say_where_to_ask() -> None:
    text = """
features:
  - {name: meant, type: field_match, itemField: item.blurb, rankingField: ranking.q,
     method: {type: bi-encoder, model: metarank/all-MiniLM-L6-v2}}
models:
  lately: {type: trending, weights: [{interaction: click, decay: 0.5}, {interaction: like, window: 10d}]}
  beside: {type: als, interactions: [click]}
  alike: {type: semantic, itemFields: [title, item.blurb]}
  odd: {type: oracle}
inference: {}
"""
    view, made, verdicts = migrated(text)
    assert view.columns == ["meant_query"]
    assert migrated(text.replace("bi-encoder", "transformer"))[0].columns == view.columns
    assert view.recommend is not None
    # A day for what halves daily; 0.69 of ten days for a count of that window.
    assert view.recommend.half_lives_ms == (DAY, 166 * 60 * MINUTE)
    assert view.content is not None
    assert view.content.fields == ("blurb", "title")
    assert view.online is not None
    assert (verdicts["meant"], verdicts["inference"]) == (NEAR, NEAR)
    told = {mapped.what: (mapped.verdict, mapped.note) for mapped in made.report}
    for what, address in (
        ("model lately (trending)", "/v1/trending?half_life=1d"),
        ("model beside (als)", "/v1/similar/<item>?by=taste"),
        ("model alike (semantic)", "/v1/similar/<item>?by=content"),
    ):
        assert told[what][0] == NEAR
        assert address in told[what][1]
    assert told["model odd (oracle)"][0] == NOT_YET


def test_without_such_models_nothing_is_kept_to_choose_from() -> None:
    view, _, _ = migrated(RANKLENS)
    assert (view.recommend, view.content, view.online) == (None, None, None)


def test_the_ranklens_configuration_keeps_what_it_can() -> None:
    view, made, verdicts = migrated(RANKLENS, name="movies")
    assert view.name == "movies"
    assert view.columns == [
        "popularity",
        "title_length",
        "genre=drama",
        "genre=comedy",
        "ctr_7d",
        "ctr_30d",
        "liked_genre_genres",
        "position",
    ]
    liked = next(f for f in view.features if isinstance(f, InteractedWith))
    assert (liked.by, liked.fields, liked.actions) == ("session", ("genres",), ("click",))
    assert (liked.last, liked.within) == (10, DAY)
    assert next(f for f in view.features if isinstance(f, Position)).serving == 5
    assert verdicts["title_length"] == SAME
    assert verdicts["n_tags"] == NOT_YET
    assert "# n_tags (list_size): not there" in made.text


@pytest.mark.parametrize(
    ("feature", "column", "verdict"),
    [
        ("{name: r, type: relevancy}", "r", SAME),
        ("{name: r, type: number, scope: item, field: item.relevancy}", "r", SAME),
        ("{name: b, type: boolean, scope: item, field: item.availability // must be a boolean}", "b", SAME),
        ("{name: a, type: number, field: user.age, scope: user}", "a", SAME),
        ("{name: k, type: interaction_count, scope: user, interaction: click}", "k_forever", SAME),
        (
            "{name: w, type: window_count, interaction: click, scope: item, bucket_size: 24h, windows: [7, 60]}",
            "w_60d",
            SAME,
        ),
        (
            "{name: w, type: window_count, interaction: click, scope: user, bucket: 1h, periods: [24, 720]}",
            "w_21d",
            NEAR,
        ),
        ("{name: w, type: window_count, scope: item.brand, bucket: 12h, periods: 1}", "w_12h_mean", SAME),
        ("{name: k, type: interaction_count, scope: global, interaction: impression}", "k_forever", SAME),
        ("{name: k, type: interaction_count, scope: item.brand, ttl: 90d}", "k_forever_mean", SAME),
        (
            "{name: c, type: rate, top: click, scope: item.brand, bucket: 1h, periods: 6, normalize: {weight: 5}}",
            "c_6h_mean",
            NEAR,
        ),
        (
            "{name: cr, type: rate, top: purchase, bottom: click, bucket: 24h, periods: [30]}",
            "cr_30d",
            NEAR,
        ),
        ("{name: q, type: rate, top: click, scope: ranking.query, bucket: 24h, periods: 7}", "q_5d", NEAR),
        ("{name: q, type: interaction_count, scope: ranking.query, ttl: 90d}", "q_forever", NEAR),
        ("{name: q, type: window_count, scope: ranking.device, periods: [1, 7]}", "q_7d", NEAR),
        (
            "{name: x, type: interacted_with, interaction: click, field: [item.color, item.tags], scope: user}",
            "x_tags",
            NEAR,
        ),
        ("{name: age, type: item_age, source: item.created_at}", "age", NEAR),
        ("{name: e, type: boolean, scope: item, field: ranking.banner_examined}", "e_of_item", NEAR),
        ("{name: w, type: word_count, field: item.title, scope: item}", "w", SAME),
        ("{name: q, type: word_count, field: ranking.query}", "q_of_item", NEAR),
        ("{name: v, type: vector, field: item.sizes, scope: item}", "v_mean", NEAR),
        (
            "{name: v, type: vector, field: item.v, reduce: [avg, euclidean_distance, vector3, vector2]}",
            "v_3",
            NEAR,
        ),
        ("{name: r, type: random}", "r", SAME),
        ("{name: t, type: local_time, parse: time_of_day, source: ranking.localts}", "t_time_of_day", SAME),
        ("{name: t, type: local_time, parse: second, source: ranking.timestamp}", "t_second", NEAR),
        ('{name: p, type: ua, source: "ranking.ua", field: platform}', "p_platform=tablet", NEAR),
        ("{name: b, type: ua, source: ranking.ua, field: bot}", "b_bot", NEAR),
        ("{name: m, type: referer, source: user.referer, scope: user}", "m=search", NEAR),
        (
            "{name: m, type: field_match, itemField: item.title // must be a string, rankingField: ranking.query,"
            " method: {type: ngram, language: en, n: 3}, refresh: 0s, ttl: 90d}",
            "m",
            NEAR,
        ),
        ("{name: p, type: relative_number, method: {type: minmax}, field: price, source: item}", "p", NEAR),
    ],
)
def test_an_extractor_that_has_a_like_keeps_its_name(feature: str, column: str, verdict: str) -> None:
    view, made, _ = one(feature)
    assert column in view.columns
    assert made.report[0].verdict == verdict


def test_strength_and_scopes_come_along() -> None:
    view, _, _ = one(
        "{name: c, type: rate, top: click, bottom: impression, scope: item.brand, normalize: {weight: 5}}"
    )
    (rate,) = view.features
    assert isinstance(rate, WindowRate)
    assert (rate.field, rate.strength, rate.periods, rate.bucket_ms) == ("brand", 50.0, (7,), DAY)
    assert (rate.actions, rate.per, rate.ttl_ms) == (("click",), ("impression",), 0)
    view, _, _ = one("{name: c, type: rate, top: buy, bottom: click, periods: [1, 30], ttl: 90d}")
    (rate,) = view.features
    assert isinstance(rate, WindowRate)
    assert (rate.actions, rate.per, rate.periods, rate.ttl_ms) == (("buy",), ("click",), (1, 30), 90 * DAY)
    view, _, _ = one("{name: c, type: rate, top: click, scope: ranking.query}")
    (pair,) = view.features
    assert isinstance(pair, CrossRate)
    assert (pair.by, pair.left, pair.ttl_ms) == (("context", "item"), "query", 0)
    view, _, _ = one("{name: c, type: rate, top: click, scope: ranking.query, ttl: 90d}")
    (pair,) = view.features
    assert isinstance(pair, CrossRate)
    assert pair.ttl_ms == 90 * DAY
    view, made, _ = one(
        "{name: n, type: window_count, scope: ranking.device, bucket: 1h, periods: 3, ttl: 1d}"
    )
    (window,) = view.features
    assert isinstance(window, WindowCount)
    assert (window.by, window.field, window.ttl_ms) == ("context", "device", DAY)
    assert "of all items together" in made.report[0].note
    view, _, _ = one("{name: n, type: interaction_count, scope: session, interaction: like}")
    (count,) = view.features
    assert isinstance(count, Count)
    assert (count.by, count.of) == ("session", ("like",))
    view, _, _ = one("{name: f, type: string, field: ranking.source, values: [search, 'no', 2021-01-01]}")
    codes = view.features[0]
    assert isinstance(codes, Categories)
    assert (codes.field.scope, codes.values) == ("context", ("search", "no", "2021-01-01"))


def test_what_visitors_interacted_with_keeps_its_fields_its_number_and_its_time() -> None:
    view, made, _ = one(
        "{name: x, type: interacted_with, interaction: like, field: [item.color, item.tags], count: 5,"
        " duration: 2h, scope: session}"
    )
    (feature,) = view.features
    assert isinstance(feature, InteractedWith)
    assert (feature.by, feature.fields, feature.actions) == ("session", ("color", "tags"), ("like",))
    assert (feature.last, feature.within) == (5, 120 * MINUTE)
    view, made, _ = one("{name: x, type: interacted_with, field: item.color, count: 500}")
    (feature,) = view.features
    assert isinstance(feature, InteractedWith)
    assert (feature.last, feature.within) == (view.limits.acted, DAY)
    assert "`limits.acted`" in made.report[0].note


def test_diversity_compares_what_other_extractors_say_the_field_holds() -> None:
    price = "{name: far, type: diversity, source: item.price, top: 10}"
    view, made, _ = migrated(
        f"features: [{price}, {{name: p, type: number, field: item.price, scope: item}}]"
    )
    assert view.columns == ["far", "p"]
    assert [f.compare for f in view.features if isinstance(f, Diversity)] == ["number"]
    assert made.report[0].note == "of all candidates, not of the `top` ones"
    color = "{name: far, type: diversity, source: item.color}"
    text = (
        f"features: [{color}, {{name: c, type: string, field: metadata.color, scope: item, values: [red]}}]"
    )
    assert [f.compare for f in migrated(text)[0].features if isinstance(f, Diversity)] == ["values"]
    view, made, _ = one(color)
    assert view.columns == ["far", "far_values"]
    assert "remove the one" in made.report[0].note
    _, made, verdicts = one("{name: far, type: diversity, source: ranking.price}")
    assert verdicts["far"] == NOT_YET


def test_fields_of_texts_and_lists_come_with_what_was_said_of_them() -> None:
    view, _, _ = migrated(
        """
features:
  - {name: words, type: field_match, itemField: item.title, rankingField: ranking.query, method: {type: term}}
  - {name: score, type: field_match, itemField: item.title, rankingField: ranking.query, ttl: 90d,
     method: {type: bm25, language: english, termFreq: /path/term-freq.json}}
  - {name: v, type: vector, field: item.v, reduce: [avg, euclidean_distance, vector3, vector2], ttl: 30d}
  - {name: price, type: number, field: item.price, scope: item, ttl: 60d}
  - {name: seen, type: boolean, field: ranking.seen, ttl: 60d}
"""
    )
    terms, score, vector, price, seen, _ = view.features
    assert isinstance(terms, FieldMatch)
    assert (terms.query, terms.field, terms.by, terms.ttl_ms) == ("query", "title", "term", 0)
    assert isinstance(score, FieldMatch)
    assert (score.by, score.language, score.ttl_ms) == ("bm25", "english", 90 * DAY)
    assert isinstance(vector, Vector)
    assert (vector.reduce, vector.members, vector.ttl_ms) == (("mean", "euclidean"), 3, 30 * DAY)
    assert isinstance(price, Number)
    assert price.ttl_ms == 60 * DAY
    assert isinstance(seen, Boolean)
    assert seen.ttl_ms == 0


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("{name: x, type: field_match, itemField: item.a, rankingField: ranking.q, method: {type: cross-encoder}}",
         "send the similarity"),
        ("{name: x, type: field_match, itemField: user.a, rankingField: ranking.q, method: {type: term}}",
         "a field of the ranking and one of the item"),
        ("{name: x, type: local_time, parse: hour, source: ranking.t}", "write one of time_of_day"),
        ("{name: x, type: local_time, parse: year, source: user.t}", "is a field of the ranking"),
        ("{name: x, type: ua, source: item.ua, field: os}", "not a field of who asks"),
        ("{name: x, type: ua, source: ranking.ua, field: version}", "write one of platform"),
        ("{name: x, type: referer, source: interaction.ref}", "send it as a field of the ranking"),
        ("{name: x, type: vector, field: item.v, reduce: median}", "no reducer that is known"),
        ("{name: x, type: window_count, scope: ranking}", "nothing is counted by `ranking`"),
        ("{name: x, type: rate, top: impression}", "turn it round"),
        ("{name: x, type: rate, top: buy, bottom: click, scope: ranking.query}", "for each impression here"),
    ],
)  # fmt: skip
def test_what_has_no_like_says_why_and_what_to_do(feature: str, told: str) -> None:
    _, made, verdicts = one(feature)
    assert verdicts["x"] == NOT_YET
    assert told in made.report[0].note


EIGHTEEN = ["number", "boolean", "string", "vector", "word_count", "relevancy", "random", "interaction_count"]
EIGHTEEN += ["window_count", "rate", "interacted_with", "position", "diversity", "item_age", "local_time"]
EIGHTEEN += ["ua", "referer", "field_match"]


@pytest.mark.parametrize("kind", EIGHTEEN)
def test_each_of_the_extractors_is_known_and_never_left_out_silently(kind: str) -> None:
    assert kind in EXTRACTORS
    _, made, _ = one(f"{{name: mine, type: {kind}, field: item.x, source: item.x, scope: item}}")
    mapped = made.report[0]
    assert mapped.what == f"mine ({kind})"
    if mapped.verdict == NOT_YET:
        assert mapped.note
        assert f"# mine ({kind}): not there" in made.text
    else:
        assert mapped.features


def test_only_the_features_of_the_model_that_is_taken_are_used() -> None:
    text = SAMPLE.replace("features: [popularity, genre]", "features: [popularity, lost]")
    text += "\n"
    view, made, verdicts = migrated(text)
    assert view.columns == ["popularity"]
    assert (verdicts["genre"], verdicts["lost"]) == (NEEDLESS, NOT_YET)
    assert "# - {name: genre" in made.text


def test_weights_are_labels_and_counts_stay_counts() -> None:
    view, _, _ = migrated(
        "features: [{name: n, type: interaction_count, interaction: cart}]\n"
        "models: {m: {type: lambdamart, weights: {click: 1, buy: 5, impression: 1, hate: -2}, features: [n]}}"
    )
    assert {name: (a.weight, a.gain) for name, a in view.actions.items()} == {
        "click": (1, 1),
        "buy": (1, 5),
        "cart": (1, 0),
    }
    assert view.name == "m"


_words = st.sampled_from(
    [*EXTRACTORS, "item.x", "ranking.y", "user.z", "item.", "", "7d", "-1", "nan", "1e999", "]", "a: b"]
)
_values = st.recursive(
    _words | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)
_KEYS = ["name", "type", "field", "source", "scope", "values", "encode", "interaction", "top", "bottom"]
_KEYS += ["bucket", "periods", "normalize", "duration", "position"]
_KEYS += ["reduce", "parse", "method", "itemField", "rankingField", "ttl", "n", "language"]
_features = st.lists(st.dictionaries(st.sampled_from(_KEYS), _values, max_size=8), max_size=5)
_parts = st.sampled_from(["type", "weights", "features", "backend", "itemFields"])
_types = st.sampled_from(["lambdamart", "als", "semantic", "trending"])
_models = st.dictionaries(_words, st.dictionaries(_parts, _values | _types), max_size=2)
_configs = st.fixed_dictionaries(
    {"features": _features | _values},
    optional={"models": _models, "interactions": _values, "core": _values},
)


@settings(deadline=None, max_examples=300)
@given(_configs)
def test_whatever_is_given_what_comes_out_loads(config: dict[str, Any]) -> None:
    made = migrate(read_config(yaml.safe_dump(config)))
    view = load_view(made.text)
    n = (
        sum(isinstance(raw, dict) for raw in config["features"])
        if isinstance(config["features"], list)
        else 0
    )
    assert len(made.report) >= n
    assert view.columns


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["migrate", "metarank", *map(str, arguments)])


def test_the_command_writes_the_file_and_tells_the_rest(tmp_path: Path) -> None:
    config, out = tmp_path / "config.yml", tmp_path / "eddyline.yaml"
    config.write_text(RANKLENS)
    done = run(config, "-o", out)
    assert done.exit_code == 0, done.output
    assert load_view(out.read_text()).name == "metarank"
    assert "n_tags (list_size)" in done.stderr
    assert "1 not there" in done.stderr
    assert run(config).stdout == out.read_text()
    out.write_text("mine")
    assert (run(config, "-o", out).exit_code, out.read_text()) == (1, "mine")
    assert run(config, "-o", out, "--force").exit_code == 0


def test_what_is_no_configuration_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    assert run(config).exit_code == 1
    for text, words in (("a: [", "YAML"), ("a: 1", "config.yml"), (RANKLENS, "no lambdamart model 'x'")):
        config.write_text(text)
        done = run(config, "--model", "x")
        assert done.exit_code == 1
        assert words.split()[-1] in done.output
