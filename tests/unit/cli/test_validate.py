"""`eddyline validate`: every error at once with its line, or what the view holds; and the schema for editors."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from eddyline_cli.main import main
from tests.support.serving import CONFIG, fixture_view


def validate(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], input=text)


def test_a_valid_file_is_told_what_it_holds() -> None:
    told = validate(CONFIG)
    assert told.exit_code == 0, told.stderr
    view = fixture_view()
    lines = told.stdout.splitlines()
    assert lines[0] == f"{CONFIG} is valid"
    shown = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert shown["view"] == [view.id]
    assert shown["columns"] == [str(len(view.columns))]
    assert shown["features"][0] == f"{len(view.features)}:"
    each, limit, bound, unit = shown["user"]
    assert limit == f"{view.limits.users:,}"
    assert (float(bound.replace(",", "")), unit) == (
        round(int(each.replace(",", "")) * view.limits.users / 1e6),
        "MB",
    )


def test_json_holds_the_same_for_programs() -> None:
    told = validate(CONFIG, "--json")
    found = json.loads(told.stdout)
    view = fixture_view()
    assert (found["valid"], found["view"], found["columns"]) == (True, view.id, view.columns)
    assert sum(found["kinds"].values()) == len(view.features)
    assert found["bytes_each"].keys() >= {"item", "user", "session", "value"}
    without = [line for line in CONFIG.read_text().splitlines() if "session" not in line]
    assert "session" not in json.loads(validate("-", "--json", text="\n".join(without)).stdout)["bytes_each"]
    assert all(n > 0 for n in found["bytes_each"].values())


def test_every_error_is_told_with_its_line_and_what_to_do_and_the_exit_code_says_so(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(
        "view: shop\nlabel_window: soon\nactions: {click: 1}\nfeatures:\n"
        "  - {name: price, kind: numbr, field: item.price}\n"
        "  - {name: brand, kind: number, field: brand}\n"
    )
    told = validate(path)
    assert told.exit_code == 2
    lines = told.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [f"{path}:{n}:" for n in (2, 5, 6)]
    assert "did you mean `number`?" in lines[1]
    assert "3 problems" in told.stderr

    found = validate(path, "--json")
    assert found.exit_code == 2
    assert [problem["line"] for problem in json.loads(found.stdout)["problems"]] == [2, 5, 6]
    assert validate("-", text=path.read_text()).stdout == told.stdout.replace(str(path), "-")

    missing = validate(tmp_path / "none.yaml")
    assert missing.exit_code == 2
    assert "there is no file" in missing.stderr


def test_the_schema_is_printed_for_editors() -> None:
    told = validate("--schema")
    assert told.exit_code == 0
    assert told.stdout == (CONFIG.parents[2] / "docs" / "eddyline.schema.json").read_text()
