"""The command on logs of propensities: ours, and impressions as CSV; and clear words for what cannot be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from eddyline_cli.evaluating import off_policy
from eddyline_cli.main import main
from eddyline_contracts.events import Event, SlateItem
from eddyline_features.view import View
from eddyline_learning.off_policy.slates import SlateLog, Wanted
from tests.support.builders import START, a_click, a_slate
from tests.support.data import shared_data
from tests.support.pages import examined, figure_of, words_of
from tests.support.serving import CONFIG, DATA
from tests.unit.learning.off_policy.test_slates import shown

HEAD = "item_id,position,click,propensity_score,more\n"


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", "--protocol", "off-policy", *map(str, arguments)])


def answer(*arguments: object) -> dict[str, Any]:
    found = evaluate(*arguments, "--json")
    assert found.exit_code == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def write(path: Path, events: list[Event]) -> Path:
    lines = []
    for at, event in enumerate(events):
        told = msgspec.to_builtins(event) | {"occurred_at": START + at * 60_000}
        lines.append(json.dumps(told))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def slates(tmp_path: Path) -> Path:
    """Half of the slates have the better of two items on top; it is always clicked there, and never below."""
    events: list[Event] = []
    for k in range(200):
        ranks = [0, 1] if k % 2 else [1, 0]
        events.append(a_slate(shown("i", ranks, [0.5, 0.5]), user=f"u{k}", id=f"s{k}"))
        if k % 2:
            events.append(a_click("i0", user=f"u{k}", slate=f"s{k}"))
    events += [a_slate(["i0", "i1"], user="u1")] * 1
    events += [a_click("i0", user=f"x{k}") for k in range(200)]
    return write(tmp_path / "events.jsonl", events)


def test_what_another_order_is_worth_is_told_of_our_own_log(slates: Path) -> None:
    told = answer(slates, "--config", CONFIG)
    assert (told["protocol"], told["scored"], told["target"], told["unit"]) == (
        "off-policy",
        200,
        "greedy",
        "slate",
    )
    estimates = told["estimates"]
    assert estimates["ips"]["mean"] == pytest.approx(1.0)
    assert estimates["as_logged"]["mean"] == pytest.approx(0.5)
    assert estimates["ips"]["lower"] < 1.0 < estimates["ips"]["upper"]
    assert (estimates["effective_rows"], estimates["mean_weight"], estimates["clip"]) == (200, 1.0, None)
    assert answer(slates, "--config", CONFIG, "--target", "shuffled")["estimates"]["dr"][
        "mean"
    ] == pytest.approx(0.5)
    clipped = answer(slates, "--config", CONFIG, "--clip", "1")["estimates"]
    assert (clipped["clip"], clipped["clipped"], clipped["ips"]["mean"]) == (1.0, 0.5, pytest.approx(0.5))


def test_a_person_reads_values_intervals_and_what_they_rest_on(slates: Path) -> None:
    found = evaluate(slates, "--config", CONFIG)
    assert found.exit_code == 0, found.stderr
    for part in (
        "200 slates by chance",
        "the policy greedy",
        "IPS",
        "SNIPS",
        "DR",
        "as logged",
        "95 % interval",
    ):
        assert part in found.stdout
    assert "effective sample: 200 of 400 rows; mean weight 1.000" in found.stdout
    assert "none was clipped" in found.stdout
    assert "Few rows decide" in found.stdout
    assert "not scored: 1 no propensities" in found.stderr


def test_propensities_that_cannot_be_are_noticed_by_the_mean_weight(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    # Both were shown as often, and neither one time in five.
    rows.write_text(HEAD + "i1,1,0,0.2,x\ni2,1,1,0.2,x\n" * 300)
    (warning,) = answer(rows)["warnings"]
    assert "far above 1" in warning


def test_estimates_are_drawn_and_stand_beside_each_other(tmp_path: Path, slates: Path) -> None:
    page = tmp_path / "page.html"
    told = answer(slates, "--config", CONFIG, "--report", page)
    root = examined(page.read_text())
    values = figure_of(root, "policy-values")
    assert values.find(".//svg") is not None
    rows = {row[0].text: [cell.text for cell in row][1:] for row in values.findall(".//tbody/tr")}
    assert rows["greedy, SNIPS"][0] == f"{told['estimates']['snips']['mean']:.4f}"
    assert rows["as logged"][0] == "0.5000"
    rest = words_of(figure_of(root, "rest-on"))
    assert "Few rows decide" in rest
    assert "left out: no propensities" in rest
    names = ("greedy", "shuffled")
    for name in names:
        text = json.dumps(answer(slates, "--config", CONFIG, "--target", name))
        (tmp_path / f"{name}.json").write_text(text)
    both = [part for name in names for part in ("--evaluation", str(tmp_path / f"{name}.json"))]
    found = CliRunner().invoke(main, ["report", *both, "--out", str(page)])
    assert found.exit_code == 0, found.stderr
    assert "shuffled: shuffled, DR" in words_of(figure_of(examined(page.read_text()), "policy-values"))
    rows_file = tmp_path / "rows.csv"
    rows_file.write_text(HEAD + "i1,1,0,0.5,x\ni2,1,1,0.5,x\n")
    of_impressions = tmp_path / "impressions.json"
    of_impressions.write_text(json.dumps(answer(rows_file, "--report", page)))
    assert "uniform, IPS" in words_of(examined(page.read_text()))
    found = CliRunner().invoke(
        main, ["report", *both, "--evaluation", str(of_impressions), "--out", str(page)]
    )
    assert found.exit_code == 1
    assert "impressions: off-policy per impression" in " ".join(found.stderr.split())


def test_impressions_of_one_policy_tell_the_click_rate_of_another() -> None:
    random, bts = (shared_data(f"open-bandit/{name}_all.csv.gz") for name in ("random", "bts"))
    for log, target, truth in ((random, bts, 42 / 10_000), (bts, random, 38 / 10_000)):
        told = answer(log, "--target", target)
        assert (told["scored"], told["unit"]) == (10_000, "impression")
        for name in ("ips", "snips", "dr"):
            assert told["estimates"][name]["lower"] <= truth <= told["estimates"][name]["upper"]
    # The same policy by its name and by its log.
    assert answer(bts)["estimates"]["ips"]["mean"] == pytest.approx(told["estimates"]["ips"]["mean"])


def test_what_cannot_be_estimated_is_said_with_what_to_do(tmp_path: Path, slates: Path) -> None:
    def refused(*arguments: object) -> str:
        found = evaluate(*arguments)
        assert found.exit_code != 0
        return " ".join(found.stderr.split())

    assert "a policy is expected, as greedy" in refused(slates, "--config", CONFIG, "--target", "grady")
    usual = DATA / "events.jsonl"
    assert "whose order chance had a say in" in refused(usual, "--config", CONFIG)
    rows = tmp_path / "rows.csv"
    rows.write_text(HEAD + "i1,1,0,0.5,x\ni2,1,0,0,x\n")
    assert "row 2: a propensity_score of 0" in refused(rows)
    rows.write_text(HEAD + "i1,1,0,0.5,x\n")
    assert "it is `uniform`" in refused(rows, "--target", "greedy")
    assert "nothing runs in" in refused("--data", tmp_path)
    assert "there is no file nowhere.csv" in refused("nowhere.csv")
    other = tmp_path / "other.csv"
    other.write_text("who,what\n1,2\n")
    assert "name its columns" in refused(other)
    damaged = tmp_path / "damaged.csv.gz"
    damaged.write_bytes(gzip.compress((HEAD + "i1,1,0,0.5,x\n" * 9_000).encode())[:-40])
    assert "damaged.csv.gz" in refused(damaged)


def test_its_options_are_refused_elsewhere(slates: Path) -> None:
    found = CliRunner().invoke(main, ["evaluate", str(slates), "--protocol", "rerank", "--target", "greedy"])
    assert found.exit_code != 0
    assert "--target and --clip belong to --protocol off-policy" in found.stderr


def test_what_the_models_own_order_would_have_earned_is_told_of_slates_that_a_client_shuffled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    likes = rng.permutation([0.05] * 4 + [0.7] * 4)
    events: list[Event] = []
    for k in range(1_000):
        # Nobody looks beyond the first of four.
        shown_items = rng.choice(8, 4, replace=False).tolist()
        items = [SlateItem(item=f"i{i}", propensity=0.25, score=float(-i)) for i in shown_items]
        events.append(a_slate(items, user=f"u{k}", id=f"s{k}"))
        if rng.random() < likes[shown_items[0]]:
            events.append(a_click(f"i{shown_items[0]}", user=f"u{k}", slate=f"s{k}"))
    config = tmp_path / "eddyline.yaml"
    config.write_text(
        "view: shop\nlabel_window: 10m\nactions: {click: {}}\n"
        "features: [{name: ctr, kind: rate, half_lives: [forever]}]\n"
    )
    log = write(tmp_path / "shuffled.jsonl", events)
    by_model: dict[str, dict[str, float]] = {}

    def listening(view: View, wanted: Wanted, scores: dict[str, dict[str, float]]) -> SlateLog:
        by_model.update(scores)
        return SlateLog(view, wanted, scores)

    monkeypatch.setattr(off_policy, "SlateLog", listening)
    found = evaluate(log, "--config", config, "--warmup", "0.5", "--target", "eddyline", "--json")
    assert found.exit_code == 0, found.stderr
    assert "500 not scored" in found.stderr
    told = json.loads(found.stdout)
    estimates = told["estimates"]
    assert 480 <= told["scored"] <= 500
    assert estimates["as_logged"]["mean"] == pytest.approx(likes.mean(), abs=0.06)
    # What people think of the items that the model would have put on top.
    tops = [max(scores, key=scores.__getitem__) for scores in by_model.values()]
    truth = float(np.mean([likes[int(item.removeprefix("i"))] for item in tops]))
    assert truth > 0.5
    for name in ("ips", "snips", "dr"):
        assert estimates["as_logged"]["mean"] < estimates[name]["lower"] < truth < estimates[name]["upper"]
    assert estimates["mean_weight"] == pytest.approx(1.0, abs=0.15)
