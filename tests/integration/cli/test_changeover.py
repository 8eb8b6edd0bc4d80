"""Which feature-stores run while views change, with services that only answer for their health."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from eddyline_cli.changing.changeover import Changeover
from eddyline_cli.fleet import Fleet
from eddyline_cli.supervisor.data_lock import is_alive
from eddyline_cli.supervisor.ports import FORMER_STORE, ports_from
from eddyline_cli.supervisor.spec import Spec
from eddyline_cli.supervisor.supervisor import Supervisor
from eddyline_cli.supervisor.watchdog import Watchdog
from eddyline_features.view import load_view
from eddyline_runtime.alongside import end
from tests.support.stand_in import __file__ as STAND_IN
from tests.support.waiting import wait_until

_SILENT = """\
actions: {click: 1}
label_window: 1m
features: [{name: price, kind: number, field: item.price}]
learning: {learn_every: 40}
"""
"""Has nothing to do with texts."""
DECLARED = {name: f"view: {name}\n{_SILENT}" for name in "abc"}
ID = {name: load_view(text).id for name, text in DECLARED.items()}


@dataclass(frozen=True, kw_only=True)
class StandIns(Fleet):
    """The fleet's processes, without what they do."""

    def service_spec(
        self, name: str, session: aiohttp.ClientSession, declaration: Path, *, place: str | None = None
    ) -> Spec:
        spec = super().service_spec(name, session, declaration, place=place)
        command = [sys.executable, STAND_IN, str(self.ports[place or name]), "--name", name]
        if name in self.rankers:
            command += ["--details", str(self.data / f"{name}.json")]
        return Spec(**{**vars(spec), "command": command})

    def serve(self, view: str, *rankers: str) -> None:
        """What rankers (all) say that their model is of."""
        for name in rankers or self.rankers:
            making = self.data / f"{name}.new"
            making.write_text(json.dumps({"view": ID[view]}))
            making.rename(self.data / f"{name}.json")


@dataclass
class Changing:
    fleet: StandIns
    supervisor: Supervisor
    changeover: Changeover
    said: list[str]

    async def declare(self, view: str, *, text: str | None = None) -> None:
        """Change the file, have it taken up, and wait until it is said what became of that."""
        self.fleet.config.write_text(DECLARED[view] if text is None else text)
        n = len(self.said)
        self.changeover.ask_for_reload()
        words = ("the view changes", "taken up", "has to wait")
        await wait_until(lambda: any(word in line for line in self.said[n:] for word in words))

    @property
    def stores(self) -> dict[str, str]:
        """View → name, by what each store reads."""
        found = {}
        for name, process in self.supervisor.processes.items():
            if name.startswith("feature-store"):
                environ = process.spec.environ or {}
                found[Path(environ["EDDYLINE_CONFIG"]).stem] = name
        return {view: found[id] for view, id in ID.items() if id in found}

    def pid(self, name: str) -> int:
        return self.supervisor.processes[name].pid or 0


@asynccontextmanager
async def changing(tmp_path: Path, database_url: str, n_rankers: int = 1) -> AsyncIterator[Changing]:
    data = tmp_path / "data"
    data.mkdir()
    config = tmp_path / "eddyline.yaml"
    config.write_text(DECLARED["a"])
    ports = ports_from(0, n_rankers=n_rankers, former=True)
    fleet = StandIns(data=data, config=config, ports=ports, n_rankers=n_rankers, database_url=database_url)
    fleet.serve("a")
    said: list[str] = []
    watchdog = Watchdog(grace_s=0.5)
    supervisor = Supervisor(watchdog, say=said.append)
    async with aiohttp.ClientSession() as session:
        changeover = Changeover(
            fleet,
            supervisor,
            session,
            view=load_view(DECLARED["a"]),
            declaration=DECLARED["a"],
            say=said.append,
            on_change=lambda: None,
        )
        specs = await changeover.begin()
        supervisor.start(specs)
        tasks = [asyncio.create_task(part) for part in (supervisor.watch(), changeover.run())]
        try:
            await supervisor.ready([spec.name for spec in specs], deadline_s=20)
            yield Changing(fleet, supervisor, changeover, said)
        finally:
            await end(tasks)
            await supervisor.stop(fleet.stop_order)
            watchdog.close()


async def test_an_encoder_runs_where_the_view_has_to_do_with_texts(tmp_path: Path, database_url: str) -> None:
    async with changing(tmp_path, database_url) as it:
        assert "encoder" not in it.supervisor.processes
        await it.declare("a", text=DECLARED["a"] + "content: {fields: [title]}\n")
        await wait_until(lambda: "encoder" in it.supervisor.processes, 20)
        await it.supervisor.ready(["encoder"], deadline_s=20)
        first = it.pid("encoder")
        it.fleet.serve("a")
        await it.declare("a", text=DECLARED["a"] + "content: {fields: [name]}\n")
        await wait_until(lambda: it.pid("encoder") not in (0, first), 20)
        assert not is_alive(first)
        await it.declare("a")
        await wait_until(lambda: "encoder" not in it.supervisor.processes, 20)


async def test_the_old_store_runs_on_until_every_ranker_serves_the_new_view(
    tmp_path: Path, database_url: str
) -> None:
    async with changing(tmp_path, database_url) as it:
        old_store, old_trainer, ranker = (it.pid(name) for name in ("feature-store", "trainer", "ranker"))
        assert it.stores == {"a": "feature-store"}
        await it.declare("b")
        assert it.stores == {"a": FORMER_STORE, "b": "feature-store"}
        assert it.pid(FORMER_STORE) == old_store
        assert it.pid("ranker") == ranker
        assert it.pid("trainer") != old_trainer
        assert not is_alive(old_trainer)
        await it.supervisor.ready(["feature-store", "trainer"], deadline_s=20)
        # What crashes meanwhile comes back as what it was.
        assert it.changeover.former == ID["a"]
        it.fleet.serve("b")
        await wait_until(lambda: "every answer" in it.said[-1], 20)
        assert it.stores == {"b": "feature-store"}
        assert not is_alive(old_store)
        assert it.changeover.former is None
        assert (
            it.said[-1]
            == f"every answer comes from a model of {ID['b']} now: {ID['a']} is no longer computed"
        )
        assert not [line for line in it.said if "starting it again" in line]


async def test_a_change_can_be_taken_back_or_replaced_before_it_is_complete(
    tmp_path: Path, database_url: str
) -> None:
    async with changing(tmp_path, database_url, n_rankers=2) as it:
        first = it.pid("feature-store")
        await it.declare("b")
        await it.declare("c")
        # Nobody ever served b, and rankers still need a.
        assert it.stores == {"a": FORMER_STORE, "c": "feature-store"}
        await it.declare("a")
        assert it.stores == {"a": "feature-store"}
        assert it.pid("feature-store") == first
        assert it.changeover.former is None

        await it.declare("b")
        it.fleet.serve("b", "ranker")
        await it.declare("c")
        # The other ranker is not so far yet: both are needed.
        assert "has to wait" in it.said[-1]
        assert set(it.stores) == {"a", "b"}
        it.fleet.serve("b")
        await wait_until(lambda: it.stores == {"b": "feature-store"}, 20)


async def test_a_change_taken_back_keeps_what_rankers_serve_by_then(
    tmp_path: Path, database_url: str
) -> None:
    async with changing(tmp_path, database_url, n_rankers=2) as it:
        first = it.pid("feature-store")
        await it.declare("b")
        second = it.pid("feature-store")
        it.fleet.serve("b", "ranker")
        await it.declare("a")
        # One ranker serves a, the other b: neither may lose its features. They have changed places.
        assert it.stores == {"a": "feature-store", "b": FORMER_STORE}
        assert (it.pid("feature-store"), it.pid(FORMER_STORE)) == (first, second)
        assert it.changeover.former == ID["b"]
        it.fleet.serve("a")
        await wait_until(lambda: "every answer" in it.said[-1], 20)
        assert it.stores == {"a": "feature-store"}
        assert not is_alive(second)


async def test_a_file_that_is_no_view_changes_nothing_and_settings_of_learning_only_the_trainer(
    tmp_path: Path, database_url: str
) -> None:
    async with changing(tmp_path, database_url) as it:
        trainer, store = it.pid("trainer"), it.pid("feature-store")
        await it.declare("a", text="view: [")
        assert "is not taken up: line 1" in it.said[-1]
        assert (it.pid("trainer"), it.pid("feature-store")) == (trainer, store)
        await it.declare("a", text=DECLARED["a"].replace("learn_every: 40", "learn_every: 50"))
        assert it.said[-1] == f"the configuration is taken up; the view is {ID['a']}"
        assert it.pid("feature-store") == store
        assert it.pid("trainer") != trainer
        kept = it.fleet.data / "views" / f"{ID['a']}.yaml"
        assert "learn_every: 50" in kept.read_text()
