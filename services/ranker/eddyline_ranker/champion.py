"""Which model serves: the champion by the bus, or the last one on disk while the bus is away.

The key is looked at when the bus tells of a change and on a slow beat beside that, so neither a message missed while
reconnecting nor a bus that lost its memory leaves an old model in service. A model is swapped in only when it is
loaded, warm and (if its view is another) has a feature-store that answers: until then the old one serves. A ranker that
keeps its first model never swaps.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from nats.aio.client import Client
from nats.errors import Error as BusError
from nats.js.errors import NotFoundError

from eddyline_contracts.bundle import Bundle, Champion, CorruptBundle, decode_bundle
from eddyline_contracts.subjects import BUNDLES_BUCKET, CHAMPION_KEY, MODELS_BUCKET
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.bundle_file import read_bundle, write_bundle
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.errors import FeaturesLost, UnusableBundle
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.model import Model, load_model
from eddyline_runtime.health import Readiness

log = logging.getLogger(__name__)

CONDITION = "champion"
"""Met once it is known which model serves, or that there is none that could."""
_STREAM = f"KV_{MODELS_BUCKET}"
_SUBJECT = f"$KV.{MODELS_BUCKET}.{CHAMPION_KEY}"
_LOOK_TIMEOUT_S = 1.0
_FETCH_TIMEOUT_S = 30.0
_RETRY_BROKEN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A champion that is ready, and waits for its view's feature-store."""

    model: Model
    bundle: Bundle
    raw: bytes


class ChampionWatch:
    """Holds the model in service as one reference, which requests take once."""

    def __init__(
        self,
        link: BusLink,
        features: FeaturesClient,
        readiness: Readiness,
        *,
        state_dir: Path | None,
        poll_ms: int,
        keep_first: bool = False,
        declared: View | None = None,
    ) -> None:
        self._link = link
        self._features = features
        self._readiness = readiness
        self._path = None if state_dir is None else state_dir / "champion.bundle"
        self._poll_s = poll_ms / 1_000
        self._keep_first = keep_first
        self._declared = declared
        self._told = asyncio.Event()
        self._broken: dict[str, float] = {}
        """Model → when it may be tried again, by the monotonic clock."""
        self._loaded: _Loaded | None = None
        self._promoted_at: float | None = None
        self.model: Model | None = None
        metrics.MODEL_AGE.set_function(self._age)

    async def load_from_disk(self) -> None:
        """Start with the last bundle that served here, if there is one."""
        if self._path is None:
            return
        try:
            bundle, saved_at = await asyncio.to_thread(read_bundle, self._path)
            model = await asyncio.to_thread(load_model, bundle, self._declared)
        except FileNotFoundError:
            return
        except (OSError, CorruptBundle, UnusableBundle) as error:
            log.warning("the bundle on disk cannot be used: %s", error, extra={"path": self._path})
            return
        self._serve(model, bundle, saved_at)
        self._readiness.set(CONDITION)

    async def run(self) -> None:
        """Follow the champion key until cancelled."""
        client = await self._link.first_connection()
        await client.subscribe(_SUBJECT, cb=self._hear)
        while True:
            if self._link.up:
                await self._look(client)
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._told.wait()
            except TimeoutError:
                pass
            self._told.clear()

    async def _hear(self, _: object) -> None:
        self._told.set()

    async def _look(self, client: Client) -> None:
        js = client.jetstream(timeout=_LOOK_TIMEOUT_S)
        raw: bytes | None = None
        try:
            raw = (await js.get_last_msg(_STREAM, _SUBJECT)).data
        except NotFoundError:
            pass
        except (TimeoutError, BusError, OSError) as error:
            log.debug("the champion key cannot be read: %s", error or type(error).__name__)
            return
        if raw:
            await self._follow(client, raw)
        else:
            log.debug("there is no champion")
        # Ready even if the champion could not be taken: an answer by priors is better than none from anybody.
        self._readiness.set(CONDITION)

    async def _follow(self, client: Client, raw: bytes) -> None:
        try:
            champion = msgspec.json.decode(raw, type=Champion)
        except msgspec.MsgspecError as error:
            self._fail("key", CHAMPION_KEY, f"the champion key cannot be read: {error}")
            return
        if self._keep_first and self.model is not None:
            return
        if self.model is None or champion.model != self.model.name:
            await self._take(client, champion)
        if self.model is not None and champion.model == self.model.name:
            self._promoted_at = champion.promoted_at / 1_000

    async def _take(self, client: Client, champion: Champion) -> None:
        """Bring this champion into service, or keep the old one and say why."""
        if self._broken.get(champion.model, 0.0) > time.monotonic():
            return
        if self._loaded is None or self._loaded.model.name != champion.model:
            self._loaded = await self._load(client, champion.model)
        loaded = self._loaded
        if loaded is None:
            return
        if (
            self.model is not None
            and self.model.view != loaded.model.view
            and not await self._answers(loaded.model)
        ):
            return
        self._loaded = None
        self._serve(loaded.model, loaded.bundle, champion.promoted_at / 1_000)
        if self._path is not None:
            try:
                await asyncio.to_thread(write_bundle, self._path, loaded.raw)
            except OSError as error:
                log.warning("the bundle cannot be kept on disk: %s", error, extra={"path": self._path})

    async def _load(self, client: Client, name: str) -> _Loaded | None:
        try:
            async with asyncio.timeout(_FETCH_TIMEOUT_S):
                store = await client.jetstream(timeout=_LOOK_TIMEOUT_S).object_store(BUNDLES_BUCKET)
                raw = (await store.get(name)).data or b""
        except (TimeoutError, BusError, OSError) as error:
            self._fail("fetch", name, f"the bundle cannot be fetched: {error or type(error).__name__}")
            return None
        try:
            bundle = await asyncio.to_thread(decode_bundle, raw)
            if bundle.model != name:
                raise CorruptBundle(f"the bundle of this name holds the model {bundle.model}")
            return _Loaded(await asyncio.to_thread(load_model, bundle, self._declared), bundle, raw)
        except (CorruptBundle, UnusableBundle, msgspec.MsgspecError) as error:
            self._broken = {name: time.monotonic() + _RETRY_BROKEN_S}
            self._fail("unusable", name, f"the bundle cannot be used: {error}")
            return None

    async def _answers(self, model: Model) -> bool:
        """Whether the feature-store of the model's view answers with the model's columns."""
        try:
            n_features = await self._features.reachable(model.view)
        except FeaturesLost as lost:
            log.info("the new view's feature-store does not answer yet: %s", lost, extra={"view": model.view})
            return False
        if n_features != model.n_features:
            self._fail(
                "columns", model.name, f"its view has {n_features} columns, the model {model.n_features}"
            )
            return False
        return True

    def _serve(self, model: Model, bundle: Bundle, promoted_at: float) -> None:
        self._promoted_at = promoted_at
        self.model = model
        metrics.SWAPS.inc()
        metrics.MODEL_SEQUENCE.set(bundle.last_sequence)
        log.info("champion in service", extra={"model": model.name, "view": model.view})

    def _fail(self, reason: str, model: str, detail: str) -> None:
        metrics.LOAD_FAILURES.labels(reason).inc()
        serving = None if self.model is None else self.model.name
        log.error("%s", detail, extra={"champion": model, "serving": serving})

    def _age(self) -> float:
        return -1.0 if self._promoted_at is None else time.time() - self._promoted_at
