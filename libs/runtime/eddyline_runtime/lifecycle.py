"""From ``main`` to a clean end: settings, logs, signals, and an exit code that says how it went."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn, TypeVar

import uvloop

from eddyline_runtime.logs import configure_logging
from eddyline_runtime.settings import ServiceSettings, SettingsError, masked, read_settings

S = TypeVar("S", bound=ServiceSettings)
log = logging.getLogger(__name__)


def run_service(
    name: str, settings_type: type[S], running: Callable[[S], AbstractAsyncContextManager[Any]]
) -> None:
    """Run a service until SIGTERM or SIGINT; exit 0 then, 1 if it broke, 2 if its settings cannot be used."""
    try:
        settings = read_settings(settings_type)
        _check_config(settings)
    except SettingsError as error:
        _refuse(name, error)
    configure_logging(name, settings.log_level)
    log.info("starting", extra={"settings": masked(settings)})
    try:
        uvloop.run(serve(settings, running))
    except SettingsError as error:
        # Of one that can only be judged when it is used, as the name of a file with a model.
        _refuse(name, error)
    except Exception:
        log.critical("stopped by a fault", exc_info=True)
        raise SystemExit(1) from None
    log.info("stopped")
    _end()


def _refuse(name: str, error: SettingsError) -> NoReturn:
    print(f"{name}: {error}", file=sys.stderr)
    raise SystemExit(2) from None


def _end() -> None:
    """End the process at once: everything is closed.

    Python would first take itself down object by object, which takes seconds where much code was compiled and a thread
    still trains; whoever waits for a process to stop waits for that.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _check_config(settings: ServiceSettings) -> None:
    config = getattr(settings, "config", None)
    if config is not None and not config.is_file():
        raise SettingsError(
            f"there is no file {config.absolute()}: set EDDYLINE_CONFIG to the eddyline.yaml that all services "
            "share; `eddyline autoconfig EVENTS -o eddyline.yaml` proposes one"
        )


async def serve(settings: S, running: Callable[[S], AbstractAsyncContextManager[Any]]) -> None:
    """Hold the service open until it is told to stop, then close it in reverse order.

    A fault inside the service (a crashed follower, say) ends the block and is raised here.
    """
    stop, opened = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    # Installed explicitly: a process that a script started in the background ignores SIGINT otherwise.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def hold() -> None:
        async with running(settings):
            opened.set()
            log.info("running")
            await stop.wait()

    held, told = asyncio.ensure_future(hold()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({held, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not opened.is_set() and not held.done():
        # Still opening (waiting for the bus, say): only cancelling ends that.
        held.cancel()
        await asyncio.wait({held})
        return
    await held
