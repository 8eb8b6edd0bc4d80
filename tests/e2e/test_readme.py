"""The README's commands, as a reader pastes them."""

from __future__ import annotations

import re
import subprocess
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
    assert len(calls) == 4
    async with a_system(tmp_path, ROOT / "examples" / "shop.yaml") as system:
        catalogue, ranked, clicked = (pasted(call, system) for call in calls[:3])
        assert '"accepted":2' in catalogue
        assert '"item":"i1"' in ranked
        assert '"slate"' in ranked
        assert '"accepted":1' in clicked
        # The last one shows what the click changed, which takes milliseconds.
        await wait_until(lambda: '"price":4.0' in pasted(calls[3], system), 10)


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
        assert models == '{"models":[],"decisions":[],"cycles":[]}'


def test_every_link_in_the_documents_leads_somewhere() -> None:
    links = [
        (page, target.partition("#")[0])
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if "://" not in target and not target.startswith("#")
    ]
    assert len(links) > 40
    assert [f"{page}: {target}" for page, target in links if not (page.parent / target).exists()] == []
