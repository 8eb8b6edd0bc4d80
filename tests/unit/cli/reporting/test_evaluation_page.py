"""`eddyline report --evaluation`: what `eddyline evaluate --json` printed, drawn; several beside each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from tests.support.pages import examined, figure_of, words_of
from tests.support.serving import CONFIG, DATA


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a real evaluation."""
    page = tmp_path_factory.mktemp("evaluated") / "page.html"
    arguments = [
        "evaluate",
        DATA / "events.jsonl",
        "--config",
        CONFIG,
        "--warmup",
        "0.5",
        "--report",
        page,
        "--json",
    ]
    found = CliRunner().invoke(main, list(map(str, arguments)))
    assert found.exit_code == 0, found.stderr
    assert str(page) in found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    assert f"{told['metrics']['ndcg@10']['mean']:.4f}" in words_of(examined(page.read_text()))
    return told


def test_an_evaluation_is_drawn_with_its_baselines(tmp_path: Path, answer: dict[str, Any]) -> None:
    told, page = tmp_path / "all <b>.json", tmp_path / "page.html"
    told.write_text(json.dumps(answer))
    found = report("--evaluation", told, "--out", page)
    assert found.exit_code == 0, found.stderr
    assert str(page) in found.stdout
    root = examined(page.read_text())
    over_time = figure_of(root, "over-ndcg-10")
    for word in ("Eddyline", "frozen first model", "item rate", "random", "as shown"):
        assert word in words_of(over_time), word
    assert len(over_time.findall(".//tbody/tr")) == len(answer["timeline"])
    assert f"{answer['metrics']['ndcg@10']['mean']:.4f}" in words_of(root)
    for slug in ("standing", "cost", "importance", "over-mrr-10"):
        assert figure_of(root, slug).find(".//svg") is not None, slug
    assert "only order items" in words_of(figure_of(root, "calibration"))
    assert "all <b>" in words_of(root)
    assert not list(tmp_path.glob("*.new"))


def test_several_stand_beside_each_other(tmp_path: Path, answer: dict[str, Any]) -> None:
    for name in ("before", "after"):
        (tmp_path / f"{name}.json").write_text(json.dumps(answer))
    page = tmp_path / "page.html"
    names = [part for name in ("before", "after") for part in ("--evaluation", tmp_path / f"{name}.json")]
    assert report(*names, "--out", page).exit_code == 0
    root = examined(page.read_text())
    standing = words_of(figure_of(root, "standing"))
    assert "before: Eddyline" in standing
    assert "after: frozen first model" in standing
    assert {"before", "after"} <= set(words_of(figure_of(root, "over-ndcg-10")).split())


def test_of_an_abrupt_shift_one_sees_who_comes_back(tmp_path: Path, answer: dict[str, Any]) -> None:
    def value(mean: float) -> dict[str, float]:
        return {"mean": mean, "se": 0.01, "n": 50}

    timeline = [
        {
            "at_ms": 1_000_000 * step,
            "until_ms": 1_000_000 * step + 900_000,
            "n": 50,
            "metrics": {"ndcg@10": value(0.4 if 10 <= step < 13 else 0.7)},
            "baselines": {"frozen": {"ndcg@10": value(0.4 if step >= 10 else 0.7)}},
        }
        for step in range(20)
    ]
    told, page = tmp_path / "shift.json", tmp_path / "page.html"
    told.write_text(json.dumps({**answer, "timeline": timeline}))
    assert report("--evaluation", told, "--out", page).exit_code == 0
    rows = figure_of(examined(page.read_text()), "over-ndcg-10").findall(".//tbody/tr")
    columns = [[cell.text for cell in row] for row in rows]
    assert [row[2] for row in columns] == ["0.7000"] * 10 + ["0.4000"] * 3 + ["0.7000"] * 7
    assert [row[3] for row in columns] == ["0.7000"] * 10 + ["0.4000"] * 10


def test_a_timeline_of_plain_numbers_is_drawn_too(tmp_path: Path) -> None:
    told, page = tmp_path / "plain.json", tmp_path / "page.html"
    timeline = [{"at_ms": 1_000 * step, "n": 9, "metrics": {"hr@10": 0.5}} for step in range(5)]
    told.write_text(
        json.dumps({"metrics": {"hr@10": {"mean": 0.5, "se": None, "n": 45}}, "timeline": timeline})
    )
    found = report("--evaluation", told, "--out", page)
    assert found.exit_code == 0, found.output
    assert figure_of(examined(page.read_text()), "over-hr-10").find(".//svg") is not None


def test_what_delay_costs_is_drawn_where_it_was_asked_for(tmp_path: Path) -> None:
    def metrics(hit: float) -> dict[str, Any]:
        return {name: {"mean": hit, "se": 0.01, "n": 900} for name in ("hr@10", "mrr@10")}

    told, page = tmp_path / "sync.json", tmp_path / "page.html"
    sync = [
        {
            "interval": name,
            "interval_ms": ms,
            "metrics": metrics(hit),
            "baselines": {"popular": metrics(0.3)},
            "seconds": 9.0,
        }
        for name, ms, hit in (("1h", 3_600_000, 0.5), ("0", 0, 0.66), ("1d", 86_400_000, 0.4))
    ]
    told.write_text(
        json.dumps({"protocol": "next-item", "scored": 900, "metrics": metrics(0.66), "sync": sync})
    )
    assert report("--evaluation", told, "--out", page).exit_code == 0
    root = examined(page.read_text())
    rows = [[cell.text for cell in row][:2] for row in figure_of(root, "delay").findall(".//tbody/tr")]
    assert rows == [["every event", "0.6600 ± 0.0100"], ["1h", "0.5000 ± 0.0100"], ["1d", "0.4000 ± 0.0100"]]
    assert "900 interactions scored" in words_of(root)


def test_an_older_file_has_a_page_that_says_what_it_lacks(tmp_path: Path, answer: dict[str, Any]) -> None:
    older = {name: value for name, value in answer.items() if name not in ("timeline", "calibration")}
    older["cycles"] = []
    told, page = tmp_path / "older.json", tmp_path / "page.html"
    told.write_text(json.dumps(older))
    assert report("--evaluation", told, "--out", page).exit_code == 0
    assert "Evaluate once more" in words_of(examined(page.read_text()))


ODD = [
    {},
    {"cycles": [{"decisions": [{"n": "many"}]}]},
    {"cycles": [{"decisions": [{"n": 3, "mean": "a lot"}]}]},
    {"cycles": [{"decisions": [7]}]},
    {"cycles": [{"cost": {"joules": "much"}}]},
    {"cycles": [{"cost": [1]}]},
    {"cycles": [{"at_ms": 10**18}]},
    {"timeline": [{"at_ms": -1, "n": 1, "metrics": {}}]},
]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"metrics": 3}',
        '{"metrics": {"a": {"mean": "x"}}}',
        '{"metrics": {}}',
        *(json.dumps({**odd, **({"metrics": {"ndcg@10": {"mean": 0.5}}} if odd else {})}) for odd in ODD),
    ],
)
def test_another_file_is_refused_with_the_way_to_a_right_one(tmp_path: Path, content: str) -> None:
    told, page = tmp_path / "other.json", tmp_path / "page.html"
    told.write_text(content)
    found = report("--evaluation", told, "--out", page)
    assert found.exit_code == 1
    assert "eddyline evaluate EVENTS --json > other.json" in found.stderr
    assert not page.exists()


def test_what_cannot_be_read_or_written_is_told_before_anything_is_done(tmp_path: Path) -> None:
    found = report("--evaluation", tmp_path / "none.json", "--out", tmp_path / "page.html")
    assert found.exit_code == 1
    assert "none.json cannot be read" in found.stderr
    found = report("--out", tmp_path / "no" / "page.html")
    assert found.exit_code == 1
    assert "there is no folder" in found.stderr
    found = report("--data", tmp_path)
    assert found.exit_code == 1
    assert "eddyline up" in found.stderr
    assert "--evaluation FILE" in found.stderr
    nowhere = {"EDDYLINE_DATABASE_URL": "postgresql://somebody:secret@127.0.0.1:9/none"}
    found = CliRunner().invoke(
        main, ["report", "--data", str(tmp_path), "--config", str(CONFIG)], env=nowhere
    )
    assert found.exit_code == 1
    assert "no database to read" in found.stderr
    assert "secret" not in found.stderr


def test_evaluations_of_different_protocols_are_not_compared(tmp_path: Path, answer: dict[str, Any]) -> None:
    one, other, page = tmp_path / "one.json", tmp_path / "other.json", tmp_path / "page.html"
    one.write_text(json.dumps(answer))
    other.write_text(json.dumps({"protocol": "next-item", "metrics": {"hr@10": {"mean": 0.5, "n": 9}}}))
    found = report("--evaluation", one, "--evaluation", other, "--out", page)
    assert found.exit_code == 1
    assert "one: rerank, other: next-item" in found.stderr
    assert "draw a page for each" in found.stderr
    assert not page.exists()


def test_options_of_a_running_system_are_refused_beside_a_file(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    told, page = tmp_path / "told.json", tmp_path / "page.html"
    told.write_text(json.dumps(answer))
    for given in (["--since", "1h"], ["--config", CONFIG], ["--data", tmp_path]):
        found = report("--evaluation", told, "--out", page, *given)
        assert found.exit_code == 1
        assert f"{given[0]}: of a running system only" in found.stderr
        assert not page.exists()


def test_where_learning_was_held_back_the_page_says_what_had_been_learnt(tmp_path: Path) -> None:
    metrics = {name: {"mean": 0.5, "se": 0.01, "n": 90} for name in ("hr@10", "mrr@10")}
    sync = [
        {"interval": "1d", "interval_ms": 86_400_000, "metrics": metrics, "baselines": {"popular": metrics}}
    ]
    told, page = tmp_path / "late.json", tmp_path / "page.html"
    told.write_text(json.dumps({"protocol": "next-item", "metrics": metrics, "sync": sync}))
    assert report("--evaluation", told, "--out", page).exit_code == 0
    words = words_of(examined(page.read_text()))
    assert "by the last sync" in words
    assert "late: 1d" in words
    told.write_text(json.dumps({"protocol": "next-item", "metrics": metrics}))
    assert report("--evaluation", told, "--out", page).exit_code == 0
    assert "by the last sync" not in words_of(examined(page.read_text()))
