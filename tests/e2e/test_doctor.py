"""The doctor on a real Eddyline: well, with a stopped service, with views that differ, and with low disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eddyline_cli.servers.processes import free_port
from tests.support.service_process import a_process
from tests.support.system import EDDYLINE, System, a_system

CONFIG = Path(__file__).parents[1] / "data" / "eddyline.yaml"


async def doctor(system: System, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what it said as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(EDDYLINE, "doctor", "--json", "--data", str(system.data), *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=system.data.parent,
    )
    out, err = await process.communicate()
    assert out, err.decode()
    return process.returncode or 0, json.loads(out)


def complaints(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was not well, by check and subject."""
    return {f"{f['check']}/{f['subject']}": f for f in told["findings"] if f["verdict"] != "ok"}


@pytest.mark.slow
async def test_the_doctor_tells_a_well_system_from_a_stopped_service_other_views_and_low_disk(
    tmp_path: Path,
) -> None:
    async with a_system(tmp_path, CONFIG) as system:
        code, told = await doctor(system)
        assert [c for c in complaints(told).values() if c["verdict"] == "fail"] == []
        assert (code, told["running"]) == (0, True)
        looked_at = {f["check"] for f in told["findings"]}
        assert looked_at >= {"ports", "disk", "versions", "clocks", "lag", "agreement", "kernels", "tables"}
        assert {f["subject"] for f in told["findings"] if f["check"] == "clocks"} >= {"nats", "postgres"}
        assert {f["subject"] for f in told["findings"] if f["check"] == "lag"} == {
            "log-writer",
            "feature-store",
            "trainer",
        }

        code, told = await doctor(system, "--min-free", "1000000000")
        assert (code, complaints(told)["disk/data, postgres, nats"]["verdict"]) == (1, "fail")

        other = tmp_path / "other.yaml"
        other.write_text(CONFIG.read_text().replace("view: ", "view: another-", 1))
        _, told = await doctor(system, "--config", str(other))
        assert complaints(told)["agreement/config"]["verdict"] == "warn"
        environ = {"EDDYLINE_NATS_URL": system.nats_url, "EDDYLINE_CONFIG": str(other)}
        async with a_process("eddyline_ranker", tmp_path, environ) as ranker:
            await ranker.ready()
            urls = {n: system.url(n) for n in ("feature-store", "trainer")} | {"ranker": ranker.url}
            options = [word for name, url in urls.items() for word in ("--url", f"{name}={url}")]
            code, told = await doctor(system, *options)
        fault = complaints(told)["agreement/view"]
        assert (code, fault["verdict"]) == (1, "fail")
        assert "EDDYLINE_CONFIG" in fault["remedy"]

        pid = system.pid("feature-store")
        os.kill(pid, signal.SIGSTOP)
        try:
            code, told = await doctor(system)
        finally:
            os.kill(pid, signal.SIGCONT)
        fault = complaints(told)["answers/feature-store"]
        assert (code, fault["verdict"]) == (1, "fail")
        assert f"kill -CONT {pid}" in fault["remedy"]
        assert all(f["remedy"] for f in complaints(told).values())


async def test_a_bus_that_is_away_fails_with_the_name_of_its_variable(
    tmp_path: Path, database_url: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(EDDYLINE, "doctor", "--json"),
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={
            **os.environ,
            "EDDYLINE_NATS_URL": f"nats://127.0.0.1:{free_port()}",
            "EDDYLINE_DATABASE_URL": database_url,
        },
    )
    out, _ = await process.communicate()
    found = {f"{f['check']}/{f['subject']}": f for f in json.loads(out)["findings"]}
    assert process.returncode == 1
    assert found["answers/nats"]["verdict"] == "fail"
    assert "EDDYLINE_NATS_URL" in found["answers/nats"]["remedy"]
    assert (found["answers/postgres"]["verdict"], found["tables/postgres"]["verdict"]) == ("ok", "ok")
