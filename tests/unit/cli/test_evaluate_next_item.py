"""The command without slates: from CSV as people have it, with what every delay of learning costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from eddyline_contracts.events import InteractionRecorded
from tests.support.next_items import CONFIG, a_history
from tests.support.serving import DATA

COLUMNS = ("--user", "who", "--item", "what", "--time", "when", "--action", "did", "--session", "visit")


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("acts")
    (folder / "view.yaml").write_text(CONFIG)
    path = folder / "acts.csv"
    rows = ["when,who,visit,what,did"]
    for logged in a_history(300):
        event = logged.event
        assert isinstance(event, InteractionRecorded)
        rows.append(f"{logged.occurred_at},{event.user},{event.session},{event.item},{event.action}")
    path.write_text("\n".join(rows) + "\n")
    return path


def evaluate(path: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", str(path), *COLUMNS, *map(str, arguments)])


def answer(path: Path, *arguments: object) -> dict[str, Any]:
    found = evaluate(path, "--config", path.parent / "view.yaml", "--warmup", "0.6", *arguments, "--json")
    assert found.exit_code == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def without_time(told: dict[str, Any]) -> dict[str, Any]:
    cycles = [{k: v for k, v in cycle.items() if k not in ("seconds", "cost")} for cycle in told["cycles"]]
    return {**told, "seconds": None, "cycles": cycles, "sync": None}


@pytest.fixture(scope="module")
def told(csv: Path) -> dict[str, Any]:
    return answer(csv, "--k", "5,10")


def test_json_is_one_object_of_this_form(told: dict[str, Any]) -> None:
    assert set(told) == {
        *("protocol", "events", "scored", "found", "seconds", "metrics", "baselines", "chosen"),
        *("popularity", "timeline", "cold_start", "unscored", "cycles"),
    }
    assert told["protocol"] == "next-item"
    assert told["events"] == 300
    assert 50 < told["found"] <= told["scored"] < 120
    assert set(told["baselines"]) == {"popular", "together", "popular_together", "random", "frozen"}
    assert set(told["metrics"]) == {f"{name}@{k}" for name in ("hr", "mrr", "ndcg") for k in (5, 10)}
    assert told["chosen"].keys() == {"popular", "popular_together"}
    assert told["chosen"]["popular"] in told["popularity"]
    assert told["popularity"][told["chosen"]["popular"]] == told["baselines"]["popular"]
    assert sum(stretch["n"] for stretch in told["timeline"]) == told["scored"]
    assert all(0 < cycle["cut"] <= 300 for cycle in told["cycles"])


def test_an_interval_of_0_is_the_run_without_the_option_and_a_delay_costs(
    csv: Path, told: dict[str, Any], tmp_path: Path
) -> None:
    picture = tmp_path / "delays.svg"
    synced = answer(csv, "--k", "5,10", "--sync-interval", "0,2h", "--plot", picture)
    assert without_time(synced) == {**without_time(told), "sync": None}
    at_once, late = synced["sync"]
    assert (at_once["interval_ms"], late["interval_ms"]) == (0, 7_200_000)
    assert at_once["metrics"] == told["metrics"]
    assert at_once["baselines"] == told["baselines"]
    assert late["scored"] == told["scored"]
    assert late["metrics"]["hr@10"]["mean"] < at_once["metrics"]["hr@10"]["mean"]
    assert late["baselines"]["popular"]["hr@10"]["mean"] < at_once["baselines"]["popular"]["hr@10"]["mean"]
    assert picture.read_text().startswith("<?xml")
    again = tmp_path / "again.svg"
    answer(csv, "--k", "5,10", "--sync-interval", "0,2h", "--plot", again)
    assert again.read_bytes() == picture.read_bytes()


def test_people_get_tables_and_are_told_which_protocol_it_is(csv: Path, tmp_path: Path) -> None:
    picture = tmp_path / "delays.png"
    found = evaluate(csv, "--warmup", "0.6", "--sync-interval", "0,1h", "--plot", picture)
    assert found.exit_code == 0, found.stderr
    assert "--protocol next-item" in found.stderr
    assert "no --config" in found.stderr
    assert "repeats" in found.stderr
    for word in (
        "hr@10",
        "popular + together",
        "frozen model",
        "What delay costs",
        "event",
        "1h",
        "Recent popularity",
        "Cycles",
    ):
        assert word in found.stdout, word
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_with_repeats_more_is_scored(csv: Path, told: dict[str, Any]) -> None:
    again = answer(csv, "--repeats", "--k", "5,10")
    assert again["scored"] > told["scored"]
    assert "repeats" not in again["unscored"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--sync-interval", "often"], 2, "0,1m,1h,1d"),
        (["--sync-interval", "1h,60m"], 2, "different durations"),
        (["--plot", "x.svg"], 2, "--sync-interval"),
        (["--sync-interval", "0", "--plot", "x.pdf"], 2, ".svg or .png"),
        (["--sync-interval", "0", "--plot", "no/folder/x.png"], 1, "no folder"),
        (["--sync-interval", "0", "--plot", "x" * 300 + ".svg"], 1, "cannot be written"),
        (["--k", "10,many"], 2, "--k 10,many"),
        (["--warmup", "300d"], 1, "choose a shorter one"),
        (["--protocol", "rerank"], 1, "--protocol next-item"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    csv: Path, arguments: list[str], code: int, words: str
) -> None:
    found = evaluate(csv, "--config", csv.parent / "view.yaml", *arguments)
    assert found.exit_code == code, found.stderr
    assert words in " ".join(found.stderr.split())


def test_what_belongs_to_next_item_is_refused_elsewhere() -> None:
    found = CliRunner().invoke(main, ["evaluate", str(DATA / "events.jsonl"), "--repeats"])
    assert found.exit_code == 1
    assert "belong to --protocol next-item" in found.stderr
