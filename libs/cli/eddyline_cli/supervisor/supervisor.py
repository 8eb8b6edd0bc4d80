"""Starts processes in order, restarts crashed ones with backoff, stops all in order within a bounded time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from eddyline_cli.servers.processes import ServerFailed
from eddyline_cli.supervisor.backoff import Backoff
from eddyline_cli.supervisor.logs import bound, tail
from eddyline_cli.supervisor.spec import Spec, Waiting
from eddyline_cli.supervisor.supervised import Phase, Supervised, spelled
from eddyline_cli.supervisor.watchdog import Watchdog

_TICK_S = 0.05
_LOG_CHECK_S = 5.0
_SETTINGS_REFUSED = 2
"""Exit code of a service that cannot use its settings (see ``eddyline_runtime.lifecycle``)."""
_HOPELESS = 6
"""Whoever crashed so often before all was ready will not come up by itself."""
Say = Callable[[str], None]


class StartFailed(RuntimeError):
    """A process did not come up, and starting it again would not help."""


class Supervisor:
    """Processes under one roof. Lives on one event loop in the main thread; starts no thread.

    Parameters
    ----------
    watchdog
        Learns what runs, so that nothing outlives us.
    say
        Called with a line for people when something happens.
    on_change
        Called whenever a process id, a phase or a count of restarts changed.
    """

    def __init__(
        self,
        watchdog: Watchdog,
        *,
        say: Say,
        on_change: Callable[[], None] = lambda: None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self.processes: dict[str, Supervised] = {}
        self._watchdog = watchdog
        self._say = say
        self.on_change = on_change
        self._backoff = backoff
        self._logs_due = 0.0
        self._stopping = False

    def start(self, specs: Iterable[Spec]) -> None:
        """Start processes; from now on they are restarted when they crash."""
        for spec in specs:
            process = self.processes[spec.name] = Supervised(spec, self._backoff())
            self._start(process)
        self.on_change()

    async def watch(self) -> None:
        """Restart what crashes; runs until it is cancelled, whatever goes wrong (a full disk, say)."""
        told = ""
        while True:
            try:
                self._tick()
            except Exception as error:
                # Said once, not at every tick.
                if told != (told := f"{type(error).__name__}: {error}"):
                    self._say(f"supervision is impaired: {told}")
            await asyncio.sleep(_TICK_S)

    async def ready(self, names: Sequence[str], *, deadline_s: float, patience_s: float = 10.0) -> None:
        """Wait until these processes are ready, saying every ``patience_s`` what is being waited for.

        Raises
        ------
        StartFailed
            If one refuses its settings or crashes again and again, or they are not ready by the deadline; the text
            holds what they wait for, and the end of their logs.
        """
        end, told = time.monotonic() + deadline_s, time.monotonic()
        waiting = list(names)
        while waiting:
            for process in self.processes.values():
                self._give_up_on(process)
            found = [(name, await self.probe(name)) for name in waiting]
            waiting = [name for name, verdict in found if not verdict.ready]
            reasons = "; ".join(f"{n} ({', '.join(v.waiting_for)})" for n, v in found if not v.ready)
            now = time.monotonic()
            if waiting and now > end:
                logs = "\n".join(f"--- {n}:\n{tail(self.processes[n].spec.log)}" for n in waiting)
                raise StartFailed(f"not ready after {deadline_s:.0f} s: {reasons}\n{logs}")
            if waiting and now - told > patience_s:
                told = now
                self._say(f"waiting for {reasons}")
            await asyncio.sleep(_TICK_S)

    def _give_up_on(self, process: Supervised) -> None:
        log = process.spec.log
        if process.last_exit == _SETTINGS_REFUSED and process.restarts:
            raise StartFailed(f"{process.name} cannot use its settings:\n{tail(log)}")
        if process.restarts >= _HOPELESS:
            raise StartFailed(
                f"{process.name} ended {process.restarts} times ({spelled(process.last_exit)}); "
                f"the end of {log}:\n{tail(log)}"
            )

    async def probe(self, name: str) -> Waiting:
        """Ask one process whether it is ready."""
        process = self.processes[name]
        if process.phase is not Phase.RUNNING:
            return Waiting(waiting_for=(f"start after {spelled(process.last_exit)}",))
        return await process.spec.probe()

    def rename(self, old: str, new: str) -> None:
        """Call a process otherwise from now on; it runs on as it does."""
        process = self.processes.pop(old)
        process.spec = replace(process.spec, name=new)
        self.processes[new] = process
        self.on_change()

    def respecify(self, spec: Spec) -> None:
        """Have a process start so the next time; it runs on as it does."""
        self.processes[spec.name].spec = spec

    async def retire(self, name: str) -> None:
        """End one process for good, in good order; the others go on."""
        process = self.processes.pop(name)
        # Out of sight of `watch`, its end is no crash; of `stop` too, so an end by force must be ours.
        try:
            await self._stop_group([process], time.monotonic() + process.spec.stop_timeout_s)
        finally:
            if process.phase is not Phase.STOPPED:
                self._kill(process)
            self.on_change()

    async def stop(self, order: Sequence[Sequence[str]], *, budget_s: float = 45.0) -> None:
        """End everything, one group after the other; whoever takes too long is killed.

        ``budget_s`` bounds the whole; cancelling ends the rest by force at once.
        """
        end = time.monotonic() + budget_s
        # From here on an end is no crash: whoever watches must not start again what was just asked to stop.
        self._stopping = True
        try:
            for group in order:
                members = [self.processes[name] for name in group if name in self.processes]
                await self._stop_group(members, end)
        finally:
            for process in self.processes.values():
                if process.phase is not Phase.STOPPED:
                    self._kill(process)
            self.on_change()

    async def _stop_group(self, members: Sequence[Supervised], end: float) -> None:
        for process in members:
            if process.phase is Phase.RUNNING:
                process.ask_to_stop()
            else:
                process.set_stopped()
        began = time.monotonic()
        while running := [p for p in members if p.phase is Phase.RUNNING]:
            now = time.monotonic()
            for process in running:
                pid = process.pid
                if process.has_ended():
                    self._forget(process, pid)
                    if process.last_exit != 0:
                        self._say(f"{process.name} ended with {spelled(process.last_exit)}")
                elif now - began > process.spec.stop_timeout_s or now > end:
                    self._say(f"{process.name} did not end in time: killed")
                    self._kill(process)
            await asyncio.sleep(0.01)

    def _tick(self) -> None:
        if self._stopping:
            return
        now = time.monotonic()
        for process in self.processes.values():
            pid = process.pid
            if process.has_ended():
                assert pid is not None
                self._watchdog.drop(pid)
                self._crashed(process)
            elif process.phase is Phase.WAITING and now >= process.due_at:
                self._start(process)
                self.on_change()
        self._watchdog.revive()
        if now >= self._logs_due:
            self._logs_due = now + _LOG_CHECK_S
            for process in self.processes.values():
                bound(process.spec.log)

    def _start(self, process: Supervised) -> None:
        try:
            self._watchdog.add(process.start())
        except (ServerFailed, OSError) as error:
            if process.restarts == 0:
                raise StartFailed(f"{process.name} cannot be started: {error}") from error
            self._say(f"{process.name} cannot be started: {error}")
            process.wait_for_restart()

    def _crashed(self, process: Supervised) -> None:
        wait = process.wait_for_restart()
        self._say(
            f"{process.name} ended with {spelled(process.last_exit)}; starting it again in {wait:.1f} s "
            f"(restart {process.restarts}; its log: {process.spec.log})"
        )
        self.on_change()

    def _forget(self, process: Supervised, pid: int | None) -> None:
        process.set_stopped()
        if pid is not None:
            self._watchdog.drop(pid)

    def _kill(self, process: Supervised) -> None:
        pid = process.pid
        process.kill()
        self._forget(process, pid)
