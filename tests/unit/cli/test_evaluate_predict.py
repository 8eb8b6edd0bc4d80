"""``evaluate --protocol predict``: ratings without a config, and clear words where there are none."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from eddyline_cli.main import main
from tests.support.serving import CONFIG, DATA


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", "--protocol", "predict", *map(str, arguments)])


def movielens(folder: Path, n: int) -> Path:
    """Ratings of 40 people of films of two genres: each likes one of them, and films are good or bad."""
    rng = np.random.default_rng(1)
    good = rng.normal(0, 0.5, 50)
    with (folder / "movies.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(["movieId", "title", "genres"])
        rows.writerows(
            [film, f"Film {film} (19{60 + film % 40})", ("Drama", "War")[film % 2]] for film in range(50)
        )
    with (folder / "ratings.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(["userId", "movieId", "rating", "timestamp"])
        for k in range(n):
            user, film = int(rng.integers(40)), int(rng.integers(50))
            value = 3.2 + good[film] + (0.9 if user % 2 == film % 2 else -0.9) + rng.normal(0, 0.3)
            rows.writerow([user, film, np.clip(round(2 * value) / 2, 0.5, 5.0), 1_000_000_000 + 3_600 * k])
    return folder


def test_a_folder_of_movielens_is_foretold_without_a_config(tmp_path: Path) -> None:
    found = evaluate(movielens(tmp_path, 1_500), "--json")
    assert found.exit_code == 0, found.stderr
    told = json.loads(found.stdout)
    assert set(told) == {
        *(
            "protocol",
            "events",
            "scored",
            "seconds",
            "metrics",
            "baselines",
            "daily_svd",
            "timeline",
            "cycles",
        ),
    }
    assert (told["protocol"], told["scored"]) == ("predict", 300)
    rmse = {who: of["rmse"]["mean"] for who, of in told["baselines"].items()}
    assert told["metrics"]["rmse"]["mean"] < 0.5 * min(rmse["user_item_means"], rmse["biases"])
    assert told["daily_svd"]["trained"] == 13
    assert sum(stretch["n"] for stretch in told["timeline"]) == 300
    assert told["cycles"][0]["importance"]


def test_clicks_are_no_ratings() -> None:
    found = evaluate(DATA / "events.jsonl", "--config", CONFIG)
    assert found.exit_code != 0
    assert "needs `learning: {objective: rating}`" in " ".join(found.stderr.split())
