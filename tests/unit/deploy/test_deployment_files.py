"""What the deployment's files name exists in the code, and what the code needs of them is there."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eddyline_cli.fleet import service_command
from eddyline_cli.servers.nats_server import MAX_PAYLOAD, nats_binary, nats_command
from eddyline_cli.servers.postgres import major_version
from eddyline_cli.supervisor.ports import DEFAULT_BASE, ports_from
from eddyline_encoder.settings import EncoderSettings
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_features.view import load_view
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.settings import IngestSettings
from eddyline_ranker.settings import RankerSettings
from eddyline_trainer.settings import TrainerSettings
from tests.support.deployment import (
    DOCKERFILE,
    EXAMPLE,
    ROOT,
    SERVICES,
    compose,
    composition,
    copied,
    image_environment,
    tool,
)

SETTINGS: dict[str, Any] = {
    "ingest": IngestSettings,
    "log-writer": LogWriterSettings,
    "feature-store": FeatureStoreSettings,
    "trainer": TrainerSettings,
    "ranker": RankerSettings,
    "encoder": EncoderSettings,
}
OF_THE_PLACE = {
    "EDDYLINE_NATS_URL",
    "EDDYLINE_DATABASE_URL",
    "EDDYLINE_CONFIG",
    "EDDYLINE_HOST",
    "EDDYLINE_PORT",
    "EDDYLINE_STATE_DIR",
}
"""Settings whose defaults are right on one machine only, so that a container must be told them."""


def variables(service: str) -> set[str]:
    return {field.metadata["env"] for field in dataclasses.fields(SETTINGS[service])}


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    return composition()


def test_hadolint_finds_nothing() -> None:
    done = tool("hadolint", str(DOCKERFILE))
    assert done.returncode == 0, done.stdout


def test_compose_takes_the_example_and_refuses_to_start_without_any_of_its_secrets_and_files(
    tmp_path: Path,
) -> None:
    assert compose("config", "-q").returncode == 0
    needed = re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text())
    assert len(set(needed)) == 2
    for name in set(needed):
        without = tmp_path / f"{name}.env"
        lines = [line for line in EXAMPLE.read_text().splitlines() if not line.startswith(name)]
        without.write_text("\n".join(lines))
        done = compose("config", "-q", env_file=without)
        assert done.returncode != 0
        assert f"{name} is missing a value: copy .env.example to .env" in done.stderr


def test_the_example_says_every_variable_that_compose_reads_and_no_other() -> None:
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert set(re.findall(r"^(\w+)=", EXAMPLE.read_text(), re.M)) == read


def test_the_services_are_those_that_the_command_starts(composed: dict[str, Any]) -> None:
    assert set(composed["services"]) - {"nats", "postgres"} == set(SERVICES) == set(SETTINGS)
    for name in SERVICES:
        (module,) = composed["services"][name]["command"]
        assert module == service_command(name)[-1]
        assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_ports_are_the_default_ones_and_only_on_loopback(composed: dict[str, Any]) -> None:
    ports = ports_from(DEFAULT_BASE)
    for name in SERVICES:
        told = composed["services"][name]
        (port,) = told["ports"]
        assert told["environment"]["EDDYLINE_PORT"] == str(ports[name])
        assert (port["target"], port["published"]) == (ports[name], str(ports[name]))
        assert port["host_ip"] == "127.0.0.1"
    assert not any("ports" in composed["services"][name] for name in ("nats", "postgres"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_told_what_its_service_reads_and_nothing_else(
    service: str, composed: dict[str, Any]
) -> None:
    told, known = set(composed["services"][service]["environment"]), variables(service)
    assert told <= known
    of_the_image = {name for name in image_environment() if name.startswith("EDDYLINE_")}
    assert of_the_image <= set().union(*map(variables, SETTINGS))
    assert OF_THE_PLACE & known <= told | of_the_image


def test_what_is_kept_lies_in_volumes(composed: dict[str, Any]) -> None:
    state = image_environment()["EDDYLINE_STATE_DIR"]
    for name in SERVICES:
        mounts = {mount["target"]: mount for mount in composed["services"][name].get("volumes", [])}
        environment = composed["services"][name]["environment"]
        assert (state in mounts) == ("EDDYLINE_STATE_DIR" in variables(name))
        config = environment.get("EDDYLINE_CONFIG")
        assert set(mounts) - {state} == ({config} if config else set())
        if config:
            assert mounts[config]["read_only"]
            load_view(Path(mounts[config]["source"]).read_text())
    kept = {mount["source"] for told in composed["services"].values() for mount in told.get("volumes", [])}
    assert set(composed["volumes"]) <= kept
    assert composed["services"]["nats"]["volumes"][0]["target"] == "/data"
    # Where images of PostgreSQL 18 and later keep their data.
    assert composed["services"]["postgres"]["volumes"][0]["target"] == "/var/lib/postgresql"


def test_images_are_built_from_files_that_exist(composed: dict[str, Any]) -> None:
    for name, image in SERVICES.items():
        build = composed["services"][name]["build"]
        assert build["args"] == {"SERVICE": image}
        assert ROOT / build["dockerfile"] == DOCKERFILE
        assert composed["services"][name]["image"] == f"eddyline/{image}"
        for source in copied():
            assert (ROOT / source.replace("${SERVICE}", image)).exists()
    assert {p.stem for p in (ROOT / "deploy" / "locks").iterdir()} == set(SERVICES.values())


def test_the_context_holds_what_is_copied_and_nothing_more() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert {source.replace("deploy/locks/${SERVICE}.lock", "deploy/locks") for source in copied()} == allowed


def test_the_servers_are_those_that_the_tests_run_on(composed: dict[str, Any]) -> None:
    version = subprocess.run([nats_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    series = re.search(r"v(\d+\.\d+)\.", version)
    assert series is not None
    assert composed["services"]["nats"]["image"] == f"nats:{series[1]}-alpine"
    assert composed["services"]["postgres"]["image"] == f"postgres:{major_version()}-alpine"


def test_the_bus_is_set_as_the_embedded_one_is(tmp_path: Path, composed: dict[str, Any]) -> None:
    text = composed["configs"]["nats"]["content"]
    config = tmp_path / "nats.conf"
    config.write_text(text)
    done = subprocess.run([nats_binary(), "-t", "-c", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    nats_command(tmp_path / "embedded", port=7445)
    embedded = (tmp_path / "embedded" / "nats.conf").read_text()
    for name in ("max_payload", "write_deadline", "sync_interval", "server_name"):
        (ours,), (theirs,) = (re.findall(rf'{name}: "?([\w ]+)', told) for told in (text, embedded))
        assert ours == theirs, name
    assert f"max_payload: {MAX_PAYLOAD}" in text
    health = composed["services"]["nats"]["healthcheck"]["test"][-1]
    assert re.search(r"http_port: (\d+)", text)[1] in health  # type: ignore[index]


def test_the_database_that_services_are_told_is_the_one_that_is_made(composed: dict[str, Any]) -> None:
    made = composed["services"]["postgres"]["environment"]
    address = "postgresql://{POSTGRES_USER}:{POSTGRES_PASSWORD}@postgres:5432/{POSTGRES_DB}".format(**made)
    for name in SERVICES:
        told = composed["services"][name]["environment"]
        assert told.get("EDDYLINE_DATABASE_URL", address) == address
        assert told["EDDYLINE_NATS_URL"] == "nats://nats:4222"
        assert set(composed["services"][name]["depends_on"]) == {"nats", "postgres"}
