"""A user's first minutes: up, status, import, rejected, down; and what is left after the worst end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path

import asyncpg
import psutil

from eddyline_cli.supervisor.data_lock import holder, is_alive
from tests.support.system import EDDYLINE, System, a_system
from tests.support.waiting import wait_until

DATA = Path(__file__).parents[1] / "data"
CONFIG, EVENTS = DATA / "eddyline.yaml", DATA / "events.jsonl"
N_EVENTS = len(EVENTS.read_bytes().splitlines())


async def eddyline(
    system: System, *arguments: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command against the system's data folder, as its user would."""
    command = [EDDYLINE, arguments[0], "--data", str(system.data), *arguments[1:]]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=system.data.parent,
    )
    out, err = await process.communicate(stdin)
    return subprocess.CompletedProcess(command, process.returncode or 0, out.decode(), err.decode())


async def logged(system: System) -> int:
    """Events of clients in the log; the trainer's own are not counted. A database that was killed may still recover."""
    connections: list[asyncpg.Connection] = []

    async def connected() -> bool:
        try:
            connections.append(await asyncpg.connect(system.database_url))
        except asyncpg.CannotConnectNowError:
            return False
        return True

    await wait_until(connected)
    (conn,) = connections
    try:
        n: int = await conn.fetchval(
            "SELECT count(*) FROM event_log WHERE type NOT LIKE 'model_%' AND type <> 'item_embedded'"
        )
        return n
    finally:
        await conn.close()


async def serving(system: System) -> str | None:
    """The model that the ranker serves."""
    async with system.client.get(system.url("ranker") + "/health/ready") as answer:
        model: str | None = (await answer.json())["details"]["model"]
        return model


def family(system: System) -> list[int]:
    """Process ids of the system and of everything below it."""
    parent = psutil.Process(system.process.pid)
    return [parent.pid, *(child.pid for child in parent.children(recursive=True))]


async def test_up_status_import_rejected_and_down(tmp_path: Path) -> None:
    async with a_system(tmp_path, CONFIG) as system:
        status = await eddyline(system, "status", "--json")
        told = json.loads(status.stdout)
        assert status.returncode == 0, status.stdout
        assert told["ready"]
        assert all(process["ready"] for process in told["processes"].values())
        assert set(told["processes"]) == {
            "postgres", "nats", "log-writer", "ingest", "feature-store", "trainer", "ranker",
        }  # fmt: skip

        first = await eddyline(system, "import", str(EVENTS))
        assert first.returncode == 0, first.stdout + first.stderr
        assert f"{N_EVENTS:,} accepted, 0 already there, 0 refused; now in the log" in first.stdout
        assert await logged(system) == N_EVENTS

        # Again, from standard input, with one line that is new and one that is no event.
        more = EVENTS.read_bytes() + b'{"type":"user","user":"new"}\n{"type":"parcel","id":"p1"}\n'
        again = await eddyline(system, "import", "-", stdin=more)
        assert again.returncode == 1, again.stdout + again.stderr
        assert f"-:{N_EVENTS + 2}:" in again.stdout
        assert "parcel" in again.stdout
        assert await logged(system) == N_EVENTS + 1
        once_more = await eddyline(system, "import", "-", stdin=more)
        assert await logged(system) == N_EVENTS + 1, once_more.stdout

        async def is_shown() -> str:
            shown = await eddyline(system, "rejected")
            return shown.stdout if "parcel" in shown.stdout else ""

        shown = await wait_until(is_shown)
        assert "http" in shown
        assert "unknown_type" in shown

        # Interrupted in the midst and repeated: lines without ids, many of them equal, count as often as they stand.
        many = tmp_path / "many.jsonl"
        many.write_text("".join(f'{{"type":"user","user":"u{n % 5_000}"}}\n' for n in range(30_000)))
        half = await asyncio.create_subprocess_exec(
            EDDYLINE, "import", str(many), "--data", str(system.data), stderr=subprocess.PIPE, cwd=tmp_path
        )

        async def has_begun() -> bool:
            return await logged(system) > N_EVENTS + 1

        await wait_until(has_begun, 30)
        half.send_signal(signal.SIGINT)
        _, said = await half.communicate()
        assert half.returncode == 130, said
        assert b"nothing counts twice" in said
        whole = await eddyline(system, "import", str(many))
        assert whole.returncode == 0, whole.stdout + whole.stderr
        assert await logged(system) == N_EVENTS + 1 + 30_000

        shown = (await eddyline(system, "status")).stdout
        assert "log stands at" in shown
        assert "unknown" not in shown

        pids = family(system)
        down = await eddyline(system, "down")
        assert down.returncode == 0, down.stderr
        assert f"(process {system.process.pid})" in down.stdout
        assert await asyncio.to_thread(system.process.wait, 10) == 0, (tmp_path / "up.log").read_text()
        assert [pid for pid in pids if is_alive(pid)] == []
        assert (await eddyline(system, "down")).stdout.startswith("nothing runs")
        assert (await eddyline(system, "status")).returncode == 1


async def test_crashed_servers_come_back_and_ctrl_c_ends_all_in_good_order(tmp_path: Path) -> None:
    async with a_system(tmp_path, CONFIG) as system:
        await eddyline(system, "import", str(EVENTS))
        for name in ("postgres", "nats", "ingest"):
            await system.replaced(name, system.kill(name))
        await eddyline(system, "import", str(EVENTS))
        assert await logged(system) == N_EVENTS
        told = json.loads((await eddyline(system, "status", "--json")).stdout)
        assert [told["processes"][name]["restarts"] for name in ("postgres", "nats", "ingest")] == [1, 1, 1]
        said = (tmp_path / "up.log").read_text()
        assert "postgres ended with SIGKILL; starting it again" in said

        pids = family(system)
        system.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(system.process.wait, 60) == 0
        assert [pid for pid in pids if is_alive(pid)] == []
        said = (tmp_path / "up.log").read_text()
        assert said.rstrip().endswith("stopped")
        assert "did not end in time" not in said
        assert "database system is shut down" in (system.data / "logs" / "postgres.log").read_text()


async def test_a_killed_up_leaves_nothing_behind_and_the_next_one_goes_on_even_with_another_view(
    tmp_path: Path,
) -> None:
    async with a_system(tmp_path, CONFIG, "--rankers", "2") as system:
        await eddyline(system, "import", str(EVENTS))
        await wait_until(lambda: serving(system), 60)
        old = system.state["view"]
        pids = family(system)
        # Itself, its guard, two servers with their own children, six services.
        assert len(pids) >= 10
        system.process.kill()
        await wait_until(lambda: holder(system.data) is None, 20)
        await wait_until(lambda: [pid for pid in pids if is_alive(pid)] == [], 5)
    other = tmp_path / "other.yaml"
    other.write_text(CONFIG.read_text().replace("half_life: 1h", "half_life: 2h"))
    async with a_system(tmp_path, other) as system:
        new = system.state["view"]
        assert new != old
        said = (tmp_path / "up.log").read_text()
        assert f"the view is now {new}, it was {old}: nothing is lost" in said
        # The model in service is of the old view, whose features are there too: nothing is missing.
        assert f"the view changes from {old} to {new}" in said
        for k in range(10):
            body = {"user": f"u{k}", "items": ["i1", "i2", "i3"], "log": False}
            async with system.client.post(system.url("ranker") + "/v1/rank", json=body) as answer:
                slate = await answer.json()
            assert (slate["degraded"], slate["view"] in (old, new)) == ([], True)
            assert slate["model"] is not None
        assert await logged(system) == N_EVENTS
        async with system.client.get(system.url("feature-store") + "/v1/items/i1") as answer:
            assert answer.status == 200
