"""What `up`, `down`, `status` and `reset` refuse, with what to do about it, before anything starts."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eddyline_cli.data_folder import Mark, read_mark, write_mark
from eddyline_cli.main import main
from eddyline_cli.supervisor.data_lock import locked

FIXTURE = Path(__file__).parents[2] / "data" / "eddyline.yaml"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def eddyline(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    "name", ["up", "down", "status", "import", "autoconfig", "rejected", "demo", "reset"]
)
def test_every_command_has_examples_in_its_help(name: str) -> None:
    told = eddyline(name, "--help")
    assert told.exit_code == 0
    assert f"Examples:\n    eddyline {name}" in told.output


def test_without_a_configuration_up_says_which_file_to_copy() -> None:
    told = eddyline("up")
    assert told.exit_code == 2
    assert "eddyline autoconfig EVENTS -o eddyline.yaml" in told.output


def test_every_problem_of_the_configuration_is_listed_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "eddyline.yaml").write_text(
        "view: shop\nlabel_window: soon\nactions: {click: 1}\nfeatures: []\n"
    )
    told = eddyline("up")
    assert told.exit_code == 2
    assert "eddyline.yaml has 2 problems:" in told.output
    assert "eddyline.yaml:2: " in told.output
    assert "eddyline.yaml:4: " in told.output
    assert not (tmp_path / ".eddyline").exists()


def test_a_second_run_in_the_folder_is_told_of_the_first() -> None:
    with locked(Path(".eddyline")):
        told = eddyline("up", "--config", str(FIXTURE))
    assert told.exit_code == 1
    assert f"already running in .eddyline (process {os.getpid()})" in told.output


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        told = eddyline("up", "--config", str(FIXTURE), "--port-base", str(port - 3))
    assert told.exit_code == 1
    assert f"{port} (for trainer) is taken" in told.output
    assert "eddyline up --port-base" in told.output
    assert not (tmp_path / ".eddyline" / "postgres").exists()


def test_data_of_another_major_version_of_postgresql_are_left_alone(tmp_path: Path) -> None:
    data = tmp_path / ".eddyline" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    told = eddyline("up", "--config", str(FIXTURE), "--free-ports")
    assert told.exit_code == 1
    assert "are of PostgreSQL 12" in told.output
    assert "eddyline reset" in told.output
    assert list(data.iterdir()) == [data / "PG_VERSION"]


def test_a_database_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDDYLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    told = eddyline("up", "--config", str(FIXTURE), "--free-ports")
    assert told.exit_code == 1
    assert "EDDYLINE_DATABASE_URL" in told.output


def test_a_bus_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDDYLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("EDDYLINE_NATS_URL", "nats://127.0.0.1:1")
    told = eddyline("up", "--config", str(FIXTURE), "--free-ports")
    assert told.exit_code == 1
    assert "no nats-server answers at EDDYLINE_NATS_URL=nats://127.0.0.1:1" in told.output


def test_down_where_nothing_runs_is_done() -> None:
    told = eddyline("down")
    assert (told.exit_code, told.output) == (0, "nothing runs in .eddyline\n")


def test_status_where_nothing_runs_says_how_to_start() -> None:
    told = eddyline("status")
    assert told.exit_code == 1
    assert "eddyline up" in told.output
    told = eddyline("status", "--json")
    assert (told.exit_code, json.loads(told.output)) == (1, {"running": False, "ready": False})


def test_reset_deletes_after_a_question(tmp_path: Path) -> None:
    data = tmp_path / ".eddyline"
    data.mkdir()
    write_mark(data, Mark(view="shop-12345678"))
    assert read_mark(data) == Mark(view="shop-12345678")
    refused = CliRunner().invoke(main, ["reset"], input="n\n")
    assert refused.exit_code == 1
    assert data.exists()
    assert CliRunner().invoke(main, ["reset"], input="y\n").exit_code == 0
    assert not data.exists()


def test_reset_refuses_while_running_and_where_no_data_of_ours_are(tmp_path: Path) -> None:
    data = tmp_path / ".eddyline"
    data.mkdir()
    told = eddyline("reset", "--yes")
    assert (told.exit_code, data.exists()) == (1, True)
    assert "is no data folder of Eddyline" in told.output
    write_mark(data, Mark())
    with locked(data):
        told = eddyline("reset", "--yes")
    assert (told.exit_code, data.exists()) == (1, True)
    assert "eddyline down" in told.output


def test_importing_a_file_that_is_not_there_is_refused_before_anything_is_sent() -> None:
    told = eddyline("import", "none.jsonl")
    assert told.exit_code == 1
    assert "there is no file none.jsonl" in told.output
