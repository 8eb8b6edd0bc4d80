"""Which views run side by side, from the moment the declaration changes until the new view's model serves everywhere.

The old view's feature-store runs on beside the new one, for the old model needs its features. There is one trainer,
that of the new view: it replays the log, and its champion takes over as soon as it has caught up. When every ranker
serves a model of the new view, the old feature-store is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from eddyline_cli.changing.champion_view import champion_view
from eddyline_cli.data_folder import Mark, digest_of_text, keep_declaration, write_mark
from eddyline_cli.fleet import ENCODER, STORE, TRAINER, Fleet
from eddyline_cli.supervisor.ports import FORMER_STORE, PortTaken, check_free
from eddyline_cli.supervisor.probes import ask_health
from eddyline_cli.supervisor.spec import Spec
from eddyline_cli.supervisor.supervisor import Say, Supervisor
from eddyline_features.view import View, ViewError, load_view

_LOOK_EVERY_S = 0.5
_LAST_ANSWERS_S = 2.0
"""A request that took the old model just before the swap still asks for its features; none waits longer than this."""


class Changeover:
    """The view that runs, the one before it while that is needed, and the change from one to the next.

    Parameters
    ----------
    view, declaration
        What the configuration declares at the start, and its text.
    on_change
        Called when the view or the one before is another.
    """

    def __init__(
        self,
        fleet: Fleet,
        supervisor: Supervisor,
        session: aiohttp.ClientSession,
        *,
        view: View,
        declaration: str,
        say: Say,
        on_change: Callable[[], None],
    ) -> None:
        self.view = view.id
        """Id of the view that is declared."""
        self.declared = digest_of_text(declaration)
        self.former: str | None = None
        """Id of the view before, while its feature-store is kept."""
        self._encodes = view.content is not None
        self._fleet = fleet
        self._supervisor = supervisor
        self._session = session
        self._say = say
        self._on_change = on_change
        self._path = keep_declaration(fleet.data, view.id, declaration)
        self._places = {STORE: STORE}
        """Whose port and log each feature-store has: they swap with every change."""
        self._asked = asyncio.Event()

    async def begin(self) -> list[Spec]:
        """What is to run: the services, and the store of the champion's view if that is another one.

        Raises
        ------
        PortTaken
            If the port of that store, or of the encoder, is.
        """
        fleet = self._fleet
        specs = [self._spec(name) for name in fleet.services]
        if self._encodes:
            self._check_port(ENCODER)
            specs.append(self._spec(ENCODER))
        champion = await champion_view(fleet.database)
        if champion is None or champion.view == self.view:
            return specs
        if champion.declaration is None:
            self._say(
                f"the model in service is of the view {champion.view}, whose features cannot be had ({champion.why}): "
                f"until {self.view} has a model, items are ordered by how often they were chosen"
            )
            return specs
        self._check_port(FORMER_STORE)
        path = keep_declaration(fleet.data, champion.view, champion.declaration)
        self.former = champion.view
        self._places[FORMER_STORE] = FORMER_STORE
        self._say(self._told())
        return [*specs, fleet.service_spec(FORMER_STORE, self._session, path)]

    def ask_for_reload(self) -> None:
        """Have `run` take up what the configuration file declares now."""
        self._asked.set()

    async def run(self) -> None:
        """Do what is asked, and end the former view's store when nobody needs it any more; until cancelled."""
        told = ""
        while True:
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._asked.wait()
            except TimeoutError:
                pass
            try:
                if self._asked.is_set():
                    self._asked.clear()
                    await self._reload()
                elif self.former is not None and await self._served_everywhere():
                    await self._finish()
            except Exception as error:
                # Said once, not at every look.
                if told != (told := f"{type(error).__name__}: {error}"):
                    self._say(f"the change of the view is impaired: {told}")

    async def _finish(self) -> None:
        await asyncio.sleep(_LAST_ANSWERS_S)
        if await self._served_everywhere():
            former, self.former = self.former, None
            await self._retire(FORMER_STORE)
            self._say(f"every answer comes from a model of {self.view} now: {former} is no longer computed")
            self._on_change()

    async def _reload(self) -> None:
        """What is wrong with the file is said, and nothing changes then."""
        try:
            text = self._fleet.config.read_text()
            view = load_view(text)
            await self._change(view, text)
        except (OSError, UnicodeDecodeError, ViewError, PortTaken) as error:
            self._say(f"{self._fleet.config} is not taken up: {error}")

    async def _change(self, view: View, text: str) -> None:
        if view.id != self.view and not await self._make_room(view.id):
            return
        self._path = keep_declaration(self._fleet.data, view.id, text)
        new = view.id != self.view
        self.view, self.declared = view.id, digest_of_text(text)
        write_mark(self._fleet.data, Mark(view=view.id))
        if new and STORE not in self._supervisor.processes:
            self._supervisor.start([self._spec(STORE)])
        for name in [*self._fleet.rankers, STORE]:
            self._supervisor.respecify(self._spec(name))
        self._on_change()
        # The old one first: there is one at a time. It writes down what it knows after each cycle, so nothing is lost.
        await self._supervisor.retire(TRAINER)
        self._supervisor.start([self._spec(TRAINER)])
        await self._change_encoder(encodes=view.content is not None)
        self._say(self._told() if self.former else f"the configuration is taken up; the view is {self.view}")

    async def _change_encoder(self, *, encodes: bool) -> None:
        """It reads the fields that the new declaration names, or is not needed any more."""
        if self._encodes:
            await self._supervisor.retire(ENCODER)
        self._encodes = encodes
        if encodes:
            self._check_port(ENCODER)
            self._supervisor.start([self._spec(ENCODER)])

    async def _make_room(self, view: str) -> bool:
        """Have the store of the view that serves called the former one, and none run under the usual name."""
        if self.former is not None and view == self.former:
            # Back again before the change was complete.
            if await self._serves_already():
                # Some ranker has a model of the view between: until it has another, both are needed.
                self._exchange()
                self.former = self.view
                return True
            await self._retire(STORE)
            self._rename(FORMER_STORE, STORE)
            self.former = None
            return True
        if self.former is not None:
            if await self._serves_already():
                self._say(
                    f"the change to {view} has to wait: a ranker still serves {self.former}, and others {self.view}"
                )
                return False
            # The view between never served anybody.
            await self._retire(STORE)
        else:
            self._check_port(_other(self._places[STORE]))
            self._rename(STORE, FORMER_STORE)
            self.former = self.view
        self._places[STORE] = _other(self._places[FORMER_STORE])
        return True

    def _rename(self, old: str, new: str) -> None:
        self._places[new] = self._places.pop(old)
        self._supervisor.rename(old, new)

    def _exchange(self) -> None:
        """Have the two stores change names."""
        between = f"{FORMER_STORE}-but-one"
        for old, new in ((STORE, between), (FORMER_STORE, STORE), (between, FORMER_STORE)):
            self._rename(old, new)

    async def _retire(self, name: str) -> None:
        self._places.pop(name)
        await self._supervisor.retire(name)

    async def _views_served(self) -> list[str | None]:
        urls = [self._fleet.url(name) for name in self._fleet.rankers]
        told = await asyncio.gather(*(ask_health(self._session, url) for url in urls))
        return [None if one is None else one.get("details", {}).get("view") for one in told]

    async def _served_everywhere(self) -> bool:
        return all(served == self.view for served in await self._views_served())

    async def _serves_already(self) -> bool:
        return any(served == self.view for served in await self._views_served())

    def _spec(self, name: str) -> Spec:
        return self._fleet.service_spec(name, self._session, self._path, place=self._places.get(name))

    def _check_port(self, place: str) -> None:
        check_free({place: self._fleet.ports[place]})

    def _told(self) -> str:
        return (
            f"the view changes from {self.former} to {self.view}: models of the old one serve, with its features, "
            "until the new one has a model"
        )


def _other(place: str) -> str:
    return FORMER_STORE if place == STORE else STORE
