"""Schemathesis against a running service, as `st run` does it: every phase, every check, whatever the document says."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
N_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
"""Generated requests per operation; `make fuzz` sets it."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@dataclass(frozen=True)
class Findings:
    """What became of a run."""

    ok: bool
    """Not one failure or error."""
    report: str


async def fuzz(url: str, folder: Path, *, n: int = N_EXAMPLES, seed: int = SEED) -> Findings:
    """Test the service at ``url`` by its own document; ``folder`` is for what the tool leaves."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("st"),
        *("run", f"{url}/openapi.json", "--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(n), "--seed", str(seed), "--continue-on-failure"),
        *("--generation-database", "none", "--no-color"),
        cwd=folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.support.fuzzing_hooks",
            "PYTHONPATH": str(ROOT),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Findings(process.returncode == 0, said.decode())
