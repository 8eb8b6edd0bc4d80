"""Schemathesis over every service of a whole Eddyline that has models in service; and it finds what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from eddyline_contracts.api import Receipt
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api, Operation
from eddyline_runtime.web_app import make_app, serving
from tests.support.fuzzing import N_EXAMPLES, fuzz
from tests.support.openapi_files import APIS
from tests.support.serving import CONFIG
from tests.support.system import System, a_system
from tests.support.training import LINES
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180 + N_EXAMPLES)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """All services, after the fixture's events: items, users and several models are known."""
    folder = tmp_path_factory.mktemp("system")
    config = folder / "reads-texts.yaml"
    config.write_text(CONFIG.read_text() + "\ncontent: {fields: [title]}\n")
    # Many requests ask for a place in the log that never comes: each would wait for a second.
    async with a_system(folder, config, EDDYLINE_MAX_WAIT_MS="50") as system:
        ndjson = {"Content-Type": "application/x-ndjson"}
        async with system.client.post(
            f"{system.url('ingest')}/v1/events", data=b"\n".join(LINES), headers=ndjson
        ) as answer:
            assert (await answer.json())["accepted"] == len(LINES)

        async def a_model_serves() -> bool:
            async with system.client.get(f"{system.url('ranker')}/health/ready") as answer:
                return bool((await answer.json())["details"]["model"])

        await wait_until(a_model_serves, 60)
        yield system


@pytest.mark.parametrize("service", APIS)
async def test_a_service_does_what_its_document_says(service: str, system: System, tmp_path: Path) -> None:
    before = {name: system.pid(name) for name in APIS}
    findings = await fuzz(system.url(service), tmp_path)
    assert findings.ok, findings.report
    assert "Tested:" in findings.report
    # What it was sent did no harm behind it either: nobody died of it, and all that was taken went through.
    async with system.client.post(
        f"{system.url('ingest')}/v1/events", json={"type": "item", "item": f"after-{service}"}
    ) as answer:
        sequence = (await answer.json())["sequence"]

    async def all_read_it() -> bool:
        for name in ("feature-store", "trainer"):
            async with system.client.get(f"{system.url(name)}/health/ready") as answer:
                told = await answer.json()
                if told["status"] != "ready" or told["details"]["sequence"] < sequence:
                    return False
        return True

    await wait_until(all_read_it, 60)
    assert {name: system.pid(name) for name in APIS} == before
    assert all([await system.ready(name) for name in APIS])


@pytest.mark.parametrize(
    ("answered", "finding"),
    [
        (web.json_response({"accepted": "two"}), "Response violates schema"),
        (web.Response(status=418), "Undocumented status code"),
        (web.Response(text="fine", content_type="text/plain"), "Undocumented Content-Type"),
        (web.Response(status=500), "Server error"),
    ],
    ids=["schema", "status", "media-type", "crash"],
)
async def test_a_service_that_does_not_is_found_out(
    answered: web.Response, finding: str, tmp_path: Path
) -> None:
    operation = Operation(method="get", path="/v1/receipt", summary="The last receipt", response=Receipt)
    api = Api(title="Wrong", description="Not as told", default_port=1, operations=[operation])
    app = make_app(api, readiness=Readiness())

    async def receipt(_: web.Request) -> web.Response:
        return web.Response(status=answered.status, body=answered.body, content_type=answered.content_type)

    app.router.add_get("/v1/receipt", receipt)
    async with serving(app, "127.0.0.1", 0) as url:
        findings = await fuzz(url, tmp_path, n=1)
    assert not findings.ok
    assert finding in findings.report, findings.report
