"""``eddyline autoconfig`` on real and made-up files: what it prints is a view, and it loses nothing silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eddyline_cli.examining import config_for
from eddyline_cli.main import main
from eddyline_features.declarations.affinity import Affinity
from eddyline_features.declarations.count import Count
from eddyline_features.view import load_view
from tests.support.data import shared_data

FIXTURE = Path(__file__).parents[2] / "data" / "events.jsonl"
RATINGS = (
    "who,what,stars,when\nu1,i1,4,2001-09-09\nu1,i2,5,2001-09-10\n,i1,3,2001-09-11\nu2,i1,1,2001-09-12\n"
)
CSV = ("--user", "who", "--item", "what", "--value", "stars", "--time", "when")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["autoconfig", *map(str, arguments)])


def test_the_fixture_gives_a_view_on_standard_output() -> None:
    done = run(FIXTURE)
    assert done.exit_code == 0, done.output
    assert done.stdout == config_for([FIXTURE])
    view = load_view(done.stdout)
    assert view.name == "data"
    assert view.learning.objective == "rank"
    assert load_view(run(FIXTURE, "--name", "my shop").stdout).name == "my_shop"


def test_a_file_is_written_and_replaced_by_force_only(tmp_path: Path) -> None:
    out = tmp_path / "eddyline.yaml"
    assert run(FIXTURE, "--output", out).exit_code == 0
    load_view(out.read_text())
    out.write_text("mine")
    refused = run(FIXTURE, "--output", out)
    assert (refused.exit_code, out.read_text()) == (1, "mine")
    assert "--force" in refused.output
    assert run(FIXTURE, "-o", out, "--force").exit_code == 0
    load_view(out.read_text())
    assert run(FIXTURE, "-o", tmp_path / "none" / "x.yaml").exit_code == 1


def test_csv_of_ratings_gives_a_view_of_ratings_and_tells_of_lost_rows(tmp_path: Path) -> None:
    path, films = tmp_path / "stars.csv", tmp_path / "films.csv"
    path.write_text(RATINGS)
    films.write_text("what,kind\ni1,war|love\ni2,love\n")
    done = run(path, *CSV, "--items", films)
    assert done.exit_code == 0, done.output
    view = load_view(done.stdout)
    assert (view.name, view.learning.objective) == ("stars", "rating")
    assert {f.field for f in view.features if isinstance(f, Affinity)} == {"kind"}
    assert "1 row: no who (line 4)" in done.stderr
    assert "when: dates, UTC where they name no offset" in done.stderr


def test_refused_lines_are_told_and_the_rest_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"type":"interaction","user":"u","item":"i"}\nnothing\n{"type":"slate"}\n')
    done = run(path)
    assert done.exit_code == 0
    assert "1 interactions" in done.stdout
    assert f"{path}:2: refused" in done.stderr
    assert f"{path}:3: refused" in done.stderr


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        ("", (), "there are no events"),
        ("a,b\n1,2\n", ("--format", "csv"), "name its columns"),
        ("a,b\n1,2\n", ("--format", "csv", *CSV), "there is no such column; the columns are a, b"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_remedy(
    content: str, arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.txt"
    path.write_text(content)
    done = run(path, *arguments)
    assert done.exit_code == 1
    assert told in done.stderr
    assert run(tmp_path / "none").exit_code == 1


def test_the_help_has_examples() -> None:
    help_text = run("--help").stdout
    assert "Examples:" in help_text
    assert "eddyline autoconfig events.jsonl.gz" in help_text


@pytest.mark.data
def test_deskdrop_is_a_company_where_yesterday_is_old() -> None:
    path = shared_data("deskdrop/interactions.csv.gz")
    done = run(
        path, "--user", "personId", "--item", "contentId", "--action", "eventType", "--time", "timestamp"
    )
    view = load_view(done.stdout)
    assert view.name == "deskdrop"
    weights = {name: action.weight for name, action in view.actions.items()}
    assert weights["VIEW"] == 1 < weights["LIKE"] < weights["COMMENT CREATED"]
    assert 3_600_000 <= view.prior.half_life_ms <= 12 * 3_600_000


@pytest.mark.data
def test_movielens_has_ratings_of_films_with_genres() -> None:
    path = shared_data("ml-latest-small/ratings.csv.gz")
    columns = ("--user", "userId", "--item", "movieId", "--value", "rating", "--time", "timestamp")
    done = run(path, *columns, "--items", shared_data("ml-latest-small/movies.csv.gz"))
    view = load_view(done.stdout)
    assert view.learning.objective == "rating"
    assert {f.field for f in view.features if isinstance(f, Affinity)} == {"genres"}
    assert [f for f in view.features if isinstance(f, Count)]
    assert "left out: title" in done.stdout


@pytest.mark.data
def test_ranklens_needs_no_hand() -> None:
    text = config_for([shared_data("ranklens/events.jsonl.gz")])
    view = load_view(text)
    assert view.label_window_ms == 10_000
    lifts = {f.field for f in view.features if isinstance(f, Affinity) and f.outputs == ("lift",)}
    assert lifts >= {"genres", "tags", "actors", "director"}
    for left_out in ("title", "description", "relevancy"):
        assert f"left out: {left_out} (" in text
