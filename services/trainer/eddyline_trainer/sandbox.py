"""A file from a stranger, tried in a process of its own: whatever it does there, the trainer goes on.

The process bounds its own memory, CPU time and files before it reads the model, is ended when it takes too long, and
says what it found as one line of JSON.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from eddyline_learning.fold import Vectors
from eddyline_learning.outside.graph import check_graph
from eddyline_learning.outside.trial import Tried, try_out
from eddyline_learning.outside.unfit import UnfitModel

_MODEL, _ROWS, _TASK = "model.onnx", "rows.npy", "task.json"
_SMALL = 2**20
_BEGIN_S = 60.0
"""For starting Python on a busy machine, beside the time that is allowed."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a model may take while it is tried."""

    us: int
    """µs of CPU for 100 rows."""
    seconds: int
    """Of CPU, for all of it."""
    megabytes: int
    """Of memory, beside what the empty process has."""


class _Task(Struct, frozen=True, kw_only=True):
    columns: list[str]
    limits: Limits


class _Verdict(Struct, frozen=True, kw_only=True):
    tried: Tried | None = None
    unfit: str | None = None


def check_small(onnx: bytes, columns: Sequence[str]) -> None:
    """Tell most mistakes at once, in files that cannot be large when they are read either.

    Raises
    ------
    UnfitModel
        As `check_graph` does, which looks at all files in `try_apart`.
    """
    if len(onnx) <= _SMALL:
        check_graph(onnx, columns)


async def try_apart(onnx: bytes, columns: Sequence[str], rows: Vectors, limits: Limits) -> Tried:
    """As `try_out`, in a process with these bounds.

    Raises
    ------
    UnfitModel
        Also if it takes too much, or breaks its process.
    """
    with tempfile.TemporaryDirectory(prefix="eddyline-model-") as made:
        folder = Path(made)
        task = msgspec.json.encode(_Task(columns=list(columns), limits=limits))
        await asyncio.to_thread(_write, folder, onnx, rows, task)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            made,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Where the database and the bus are is nothing that a stranger's file should find.
            env={name: value for name, value in os.environ.items() if not name.startswith("EDDYLINE_")},
        )
        try:
            async with asyncio.timeout(limits.seconds + _BEGIN_S):
                said, _ = await process.communicate()
        except TimeoutError:
            raise UnfitModel(_TOO_LONG.format(limits.seconds)) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == -signal.SIGXCPU:
        raise UnfitModel(_TOO_LONG.format(limits.seconds))
    try:
        verdict = msgspec.json.decode(said, type=_Verdict)
    except msgspec.DecodeError:
        raise UnfitModel(
            f"the process that tried it broke (exit code {process.returncode}), as when it needs more than "
            f"{limits.megabytes} MiB: make it smaller, or allow more (EDDYLINE_ADDED_MODEL_MEMORY_MIB of the trainer)"
        ) from None
    if verdict.tried is None:
        raise UnfitModel(verdict.unfit or "it cannot be used")
    return verdict.tried


_TOO_LONG = (
    "trying it took over {} s: make it smaller, or allow more (EDDYLINE_ADDED_MODEL_SECONDS of the trainer)"
)


def _write(folder: Path, onnx: bytes, rows: Vectors, task: bytes) -> None:
    (folder / _MODEL).write_bytes(onnx)
    np.save(folder / _ROWS, rows)
    (folder / _TASK).write_bytes(task)


def _bound(limits: Limits) -> None:
    """From here on this process can take no more than it has and these."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + limits.megabytes * 2**20
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + limits.seconds
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        # A second more before the end without a signal that can be told from others.
        resource.setrlimit(what, (most, most + (what == resource.RLIMIT_CPU)))


def _main(folder: Path) -> None:
    task = msgspec.json.decode((folder / _TASK).read_bytes(), type=_Task)
    _bound(task.limits)
    try:
        onnx, rows = (folder / _MODEL).read_bytes(), np.load(folder / _ROWS)
        tried = try_out(onnx, task.columns, rows, at_most_us=task.limits.us)
        verdict = _Verdict(tried=tried)
    except UnfitModel as error:
        verdict = _Verdict(unfit=str(error))
    except MemoryError:
        verdict = _Verdict(
            unfit=f"it needs more than {task.limits.megabytes} MiB of memory: make it smaller, or allow more "
            "(EDDYLINE_ADDED_MODEL_MEMORY_MIB of the trainer)"
        )
    sys.stdout.buffer.write(msgspec.json.encode(verdict))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
