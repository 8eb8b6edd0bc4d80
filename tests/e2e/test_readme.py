"""The README's commands, as a reader pastes them."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.system import System, a_system
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PORTS = {"7440": "ranker", "7441": "ingest", "7442": "feature-store", "7443": "trainer"}


def commands() -> list[str]:
    """The curl calls of the README's bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    return [call for block in blocks for call in re.split(r"\n\n?(?=#)", block) if "curl" in call]


def pasted(call: str, system: System) -> str:
    """What the call prints, with the README's ports replaced by this system's."""
    for port, name in PORTS.items():
        call = call.replace(f"localhost:{port}", system.url(name).removeprefix("http://"))
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


async def test_the_readmes_commands_work_when_pasted(tmp_path: Path) -> None:
    calls = commands()
    assert len(calls) == 5
    async with a_system(tmp_path, ROOT / "examples" / "shop.yaml") as system:
        catalogue, ranked, recommended, clicked = (pasted(call, system) for call in calls[:4])
        assert '"accepted":2' in catalogue
        assert '"item":"i1"' in ranked
        assert '"slate"' in ranked
        assert '"slate"' in recommended
        assert '"accepted":1' in clicked
        # The last one shows what the click changed, which takes milliseconds.
        await wait_until(lambda: '"price":4.0' in pasted(calls[4], system), 10)


async def test_the_api_guides_commands_work_when_pasted_in_order(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.S)
    assert len(blocks) == 5
    async with a_system(tmp_path, ROOT / "examples" / "shop.yaml") as system:
        sent, ranked, clicked, known, models = (pasted(block, system) for block in blocks)
        assert '"accepted":3' in sent
        assert '"degraded":["model"]' in ranked
        # The second list waited for the click.
        assert '"degraded":["model"]' in clicked
        assert '"price":4.0' in known
        assert '"action":"click"' in known
        assert models == '{"models":[],"changes":[],"decisions":[],"cycles":[]}'


async def test_the_page_on_recommending_works_when_pasted_in_order(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "recommend.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.S)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 8
    async with a_system(tmp_path, ROOT / "examples" / "shop.yaml") as system:
        assert '"accepted":8' in pasted(blocks[0], system)

        async def all_is_known() -> bool:
            return '"ball"' in pasted(blocks[6].splitlines()[0], system)

        await wait_until(all_is_known, 10)
        first, filtered, capped, why = (pasted(block, system) for block in blocks[1:5])
        # What bob acted on is not shown again; what goes with it comes first.
        assert re.findall(r'"item":"(\w+)"', first)[0] == "ball"
        assert '"source":"co_visitation"' in first
        assert "kite" not in first
        assert set(re.findall(r'"item":"(\w+)"', filtered)) == {"ball", "boat"}
        assert re.findall(r'"item":"(\w+)"', capped)
        assert '"sentence":"' in why
        similar = pasted(blocks[5], system)
        assert re.findall(r'"item":"(\w+)"', similar)[:2] == ["kite", "ball"]
        assert '"found_by":["together"' in similar
        assert "error" not in pasted(blocks[6], system)
        assert re.findall(r'"item":"(\w+)"', pasted(blocks[6].splitlines()[2], system)) == ["ball"]
        batch, predicted = pasted(blocks[7], system).split('{"predictions"')
        assert batch.count('"slate":{') == 2
        assert predicted.count('"item":"lamp"') == 2
        where = {
            "ranker": system.url("ranker"),
            "ingest": system.url("ingest"),
            "feature_store": system.url("feature-store"),
        }
        here = program.replace("Client()", f"Client(**{where!r})") + "\nprint(slate.items, beside, lately)"
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", here], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr


async def test_events_are_emitted_as_the_page_on_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "emitting-events.md").read_text()
    one, many = re.findall(r"```bash\n(.*?)```", page, re.S)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.S)
    async with a_system(tmp_path, ROOT / "examples" / "shop.yaml") as system:
        assert '"accepted":1' in pasted(one, system)
        assert '"accepted":2' in pasted(many, system)
        where = {**os.environ, "EDDYLINE_NATS_URL": system.nats_url}
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", program],
            env=where,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert "stored at EVENTS 4" in done.stdout, done.stderr

        async def all_are_logged() -> bool:
            return await system.logged() == 4

        await wait_until(all_are_logged, 10)


def test_every_link_in_the_documents_leads_somewhere() -> None:
    links = [
        (page, target.partition("#")[0])
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if "://" not in target and not target.startswith("#")
    ]
    assert len(links) > 40
    assert [f"{page}: {target}" for page, target in links if not (page.parent / target).exists()] == []
