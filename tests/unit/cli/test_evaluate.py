"""The command: one JSON object, the same for the same seed, and clear words for what cannot be."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from tests.support.serving import CONFIG, DATA

EVENTS = DATA / "events.jsonl"


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def answer(*arguments: object) -> dict[str, Any]:
    found = evaluate(*arguments, "--json")
    assert found.exit_code == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def without_time(told: dict[str, Any]) -> dict[str, Any]:
    cycles = [{k: v for k, v in cycle.items() if k not in ("seconds", "cost")} for cycle in told["cycles"]]
    return {**told, "seconds": None, "cycles": cycles}


def test_json_is_one_object_of_this_form() -> None:
    told = answer(EVENTS, "--config", CONFIG, "--warmup", "0.5", "--k", "5")
    assert set(told) == {
        "protocol",
        "events",
        "scored",
        "seconds",
        "metrics",
        "baselines",
        "timeline",
        "cold_start",
        "calibration",
        "cycles",
    }
    assert told["protocol"] == "rerank"
    assert told["events"] == 565
    assert told["scored"] == 100
    assert set(told["baselines"]) == {"shown_order", "item_rate", "random", "frozen"}
    names = {f"{name}@5" for name in ("ndcg", "mrr", "map", "hr", "precision", "recall", "f1")}
    for metrics in (told["metrics"], *told["baselines"].values()):
        assert set(metrics) == names | {"auc", "slate_auc"}
        for value in metrics.values():
            assert 0 <= value["mean"] <= 1
            assert 0 < value["se"] < 0.2
    assert sum(stretch["n"] for stretch in told["timeline"]) == 100
    assert [stretch["at_ms"] for stretch in told["timeline"]] == sorted(
        stretch["at_ms"] for stretch in told["timeline"]
    )
    for stretch in told["timeline"]:
        assert set(stretch["metrics"]) == {"ndcg@5", "mrr@5", "hr@5"}
        assert set(stretch["baselines"]) == set(told["baselines"])
    means = [stretch["metrics"]["ndcg@5"] for stretch in told["timeline"]]
    overall = told["metrics"]["ndcg@5"]
    weighted = sum(each["mean"] * each["n"] for each in means) / overall["n"]
    assert weighted == pytest.approx(overall["mean"])
    cold = told["cold_start"]
    assert [(band["least"], band["most"]) for band in cold["users"]] == [(0, 0), (1, 1), (2, 4), (5, None)]
    assert [(band["least"], band["most"]) for band in cold["items"]] == [(0, 0), (1, 4), (5, None)]
    # Each slate is in one band of people; a slate may have items of several bands that were acted on.
    assert sum(band["n"] for band in cold["users"]) == 100
    parts = [(band["metrics"]["ndcg@5"]["mean"], band["metrics"]["ndcg@5"]["n"]) for band in cold["users"]]
    assert sum(mean * n for mean, n in parts if n) / overall["n"] == pytest.approx(overall["mean"])
    for band in (*cold["users"], *cold["items"]):
        assert set(band["baselines"]) == set(told["baselines"])
        assert {"ndcg@5", "mrr@5", "hr@5"} == set(band["metrics"])
    assert told["calibration"] == []
    first = told["cycles"][0]
    shares = list(first["importance"].values())
    assert shares == sorted(shares, reverse=True)
    assert 0.9 < sum(shares) <= 1.0
    assert first["at_ms"] > 1_600_000_000_000
    assert first["strategy"] == "rebuild"
    assert first["seconds"].keys() >= {"fold", "train"}
    assert first["cost"]["cpu_seconds"]["train"] > 0
    assert first["cost"]["peak_memory_bytes"] > 10_000_000
    assert first["cost"]["examples"] > 500
    assert first["cost"]["joules"] > 0
    assert first["cost"]["joules_by"]


def test_the_same_seed_gives_the_same_answer_apart_from_time() -> None:
    once = answer(EVENTS, "--config", CONFIG, "--seed", "7", "--learn-every", "20")
    again = answer(EVENTS, "--config", CONFIG, "--seed", "7", "--learn-every", "20")
    assert without_time(once) == without_time(again)
    assert len(once["cycles"]) >= 2
    other = answer(EVENTS, "--config", CONFIG, "--seed", "8", "--learn-every", "20")
    assert other["baselines"]["random"] != once["baselines"]["random"]


def test_without_a_config_one_is_proposed_and_that_is_said() -> None:
    found = evaluate(EVENTS, "--warmup", "0.6", "--json")
    assert found.exit_code == 0, found.stderr
    assert "no --config" in found.stderr
    assert json.loads(found.stdout)["scored"] == 80


def test_people_get_a_table() -> None:
    found = evaluate(EVENTS, "--config", CONFIG)
    assert found.exit_code == 0
    for word in ("ndcg@10", "item rate", "as shown", "frozen model", "Cycles", "rebuild", "±"):
        assert word in found.stdout, word


def test_each_form_of_a_warm_up_is_understood() -> None:
    scored = [
        answer(EVENTS, "--config", CONFIG, "--warmup", warmup)["scored"]
        for warmup in ("0.7", "100m", "2025-01-06T09:40", "2025-01-06T10:40+01:00")
    ]
    assert scored[0] == 60
    assert all(20 < n < 120 for n in scored[1:])
    assert scored[2] == scored[3]


def test_cycles_can_go_by_the_time_of_events() -> None:
    often = answer(EVENTS, "--config", CONFIG, "--warmup", "0.5", "--learn-every", "10m")
    seldom = answer(EVENTS, "--config", CONFIG, "--warmup", "0.5", "--learn-every", "30m")
    assert len(often["cycles"]) > len(seldom["cycles"]) > 1


def test_refused_and_repeated_lines_are_counted_on_standard_error(tmp_path: Path) -> None:
    lines = EVENTS.read_bytes().splitlines()
    ranked = json.dumps(
        {
            "type": "slate",
            "id": "x",
            "user": "u",
            "items": [{"item": "a"}],
            "policy": "greedy",
            "features_sequence": 3,
        }
    ).encode()
    promoted = b'{"type":"model_promoted","id":"p","model":"m","view":"v"}'
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join([b"{nonsense", promoted, *lines, b"", ranked, lines[5]])))
    found = evaluate(path, "--config", CONFIG, "--json")
    assert found.exit_code == 0, found.stderr
    assert "refused: 3 lines" in found.stderr
    assert "events.jsonl.gz:1: refused" in found.stderr
    assert "1 malformed" in found.stderr
    assert "counted once: 1 lines" in found.stderr
    assert json.loads(found.stdout)["events"] == 565


def test_several_files_are_one_history(tmp_path: Path) -> None:
    lines = EVENTS.read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_bytes(b"".join(lines[:300]))
    second.write_bytes(b"".join(lines[300:]))
    assert without_time(answer(first, second, "--config", CONFIG)) == without_time(
        answer(EVENTS, "--config", CONFIG)
    )


def test_a_long_history_is_read_twice_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from eddyline_cli.evaluating import history

    kept = answer(EVENTS, "--config", CONFIG)
    monkeypatch.setattr(history, "_KEPT_BYTES", 1_000)
    assert without_time(answer(EVENTS, "--config", CONFIG)) == without_time(kept)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing.jsonl"], 1, "there is no file"),
        (["-"], 1, "name a file"),
        ([EVENTS, "--warmup", "1.5"], 1, "between 0 and 1"),
        ([EVENTS, "--warmup", "soon"], 1, "--warmup soon"),
        ([EVENTS, "--config", CONFIG, "--learn-every", "often"], 1, "--learn-every often"),
        ([EVENTS, "--config", CONFIG, "--warmup", "0.01"], 1, "choose a longer warm-up"),
        ([EVENTS, "--config", CONFIG, "--warmup", "300d"], 1, "choose a shorter one"),
        ([EVENTS, "--config", "missing.yaml"], 2, "missing.yaml"),
        ([EVENTS, "--k", "0"], 2, "--k"),
        ([EVENTS, "--protocol", "retrieve"], 2, "rerank"),
        ([], 2, "EVENTS"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(arguments: list[object], code: int, words: str) -> None:
    found = evaluate(*arguments)
    assert found.exit_code == code
    assert words in found.stderr
    assert found.stdout == ""
    assert "Traceback" not in found.stderr


def test_a_file_without_slates_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "clicks.jsonl"
    path.write_bytes(b'{"type":"interaction","id":"e","occurred_at":5,"user":"u","item":"i"}\n')
    found = evaluate(path, "--protocol", "rerank")
    assert found.exit_code == 1
    assert "no slate" in found.stderr
    assert '"slate"' in found.stderr
    assert "--protocol next-item" in found.stderr


def test_heavy_libraries_are_loaded_only_when_it_runs() -> None:
    code = (
        "import sys; from eddyline_cli.commands.evaluate import command; "
        "print([m for m in ('lightgbm', 'numba', 'numpy', 'onnxruntime', 'sqlalchemy') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_dial_of_diversity_is_measured_where_it_is_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(_with_recommend("{fields: [genres, price]}"))
    arguments = (EVENTS, "--config", config, "--warmup", "0.5", "--k", "5")
    told = answer(*arguments, "--diversity", "0.5,1")
    dials = told["diversity"]
    assert [each["dial"] for each in dials] == [0, 0.5, 1]
    assert dials[0]["ndcg@5"] == told["metrics"]["ndcg@5"]
    assert dials[0]["ild@5"]["mean"] < dials[1]["ild@5"]["mean"] < dials[2]["ild@5"]["mean"]
    assert dials[2]["ndcg_change@5"]["mean"] == pytest.approx(
        dials[2]["ndcg@5"]["mean"] - dials[0]["ndcg@5"]["mean"]
    )
    shown = evaluate(*arguments, "--diversity", "0.5")
    assert "what it costs and gives" in shown.stdout


def _with_recommend(section: str) -> str:
    lines = [line for line in CONFIG.read_text().splitlines() if not line.startswith("recommend:")]
    return "\n".join([*lines, f"recommend: {section}", ""])


def test_a_dial_needs_fields_to_compare_items_by(tmp_path: Path) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(_with_recommend("{}"))
    found = evaluate(EVENTS, "--config", config, "--warmup", "0.5", "--diversity", "0.5")
    assert found.exit_code == 1
    assert "as `recommend: {fields: [genres, brand]}`" in found.stderr.replace("\n", " ")
    assert evaluate(EVENTS, "--diversity", "2").exit_code == 2
    assert evaluate(EVENTS, "--protocol", "next-item", "--diversity", "0.5").exit_code == 1
