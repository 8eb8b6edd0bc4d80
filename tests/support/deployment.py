"""The files of the deployment, read as Docker and compose read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "service.Dockerfile"
EXAMPLE = ROOT / ".env.example"
SERVICES = {
    "ingest": "ingest",
    "log-writer": "ingest",
    "feature-store": "feature-store",
    "trainer": "trainer",
    "ranker": "ranker",
    "encoder": "encoder",
}
"""Service of compose → image (and lock) it runs."""


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the development environment in the repository."""
    program = str(Path(sys.executable).with_name(name))
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


def compose(*arguments: str, env_file: Path = EXAMPLE) -> subprocess.CompletedProcess[str]:
    """``docker compose`` with the variables of ``env_file``."""
    return tool("docker-compose", "--env-file", str(env_file), *arguments)


def composition() -> dict[str, Any]:
    """docker-compose.yml with every variable and merge resolved."""
    done = compose("config", "--format", "json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    pairs = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(word, rest) for word, rest in pairs]


def image_environment() -> dict[str, str]:
    """The variables that the image itself sets, of its last stage."""
    found = [(word, rest) for word, rest in instructions()]
    last = max(n for n, (word, _) in enumerate(found) if word == "FROM")
    pairs = [pair for word, rest in found[last:] if word == "ENV" for pair in rest.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def copied() -> list[str]:
    """What the build stage copies out of the repository, as written."""
    return [
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
