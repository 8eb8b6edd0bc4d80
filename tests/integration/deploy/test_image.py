"""An image's build and start, step by step as the Dockerfile says, as far as that goes without an engine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from eddyline_cli.fleet import service_command
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.processes import free_port, start
from tests.support.deployment import ROOT, SERVICES, composition, copied, image_environment
from tests.support.waiting import wait_until

UV = str(Path(sys.executable).with_name("uv"))
# As root, in a namespace where root is nobody: what is not writable cannot be written then. The tests' folders and
# interpreter may lie where another user cannot go.
AS_NOBODY = ["unshare", "-U", "--map-user=65534", "--map-group=65534"] if os.geteuid() == 0 else []
BUILT = 1_750_000_000
"""When the code in the images was written, seconds since the epoch."""
COMPILED = {"feature-store": "eddyline_features.compile", "trainer": "eddyline_learning.compile"}
Popen = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Health:
    """The health command of compose, in this image."""

    python: Path
    test: list[str]
    environ: dict[str, str]

    def well(self) -> bool:
        assert self.test[:2] == ["CMD", "python"]
        command = [str(self.python), *self.test[2:]]
        return subprocess.run(command, env=self.environ, capture_output=True, timeout=20).returncode == 0

    def answers(self) -> bool:
        """Whether it says that it is ready: asked often, it costs no process each time."""
        url = f"http://127.0.0.1:{self.environ['EDDYLINE_PORT']}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def run(*command: str, **environ: str) -> str:
    # A developer's PYTHONPATH would put other code in the place of the image's.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=inherited | environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(python: Path, *arguments: str) -> None:
    """From the packages that `make setup` left in uv's cache, or else from the registry."""
    command = [UV, "pip", "install", "--quiet", "--python", str(python), *arguments]
    offline = subprocess.run([*command, "--offline"], capture_output=True, text=True, timeout=120)
    if offline.returncode != 0:
        run(*command)


def build(image: str, folder: Path) -> Path:
    """The build stage: the interpreter of an environment that has this image's lock and the code, nothing else."""
    environment, source = folder / "eddyline", folder / "src"
    run(UV, "venv", "--quiet", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    for name in copied():
        path = ROOT / name.replace("${SERVICE}", image)
        target = source / path.name
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(path, target)
    install(python, "--require-hashes", "-r", str(source / f"{image}.lock"))
    # Not linked to uv's own files: these are changed below.
    install(python, "--no-deps", "--no-build-isolation", "--link-mode", "copy", str(source))
    for path in environment.rglob("eddyline_*/**/*.py"):
        # Numba's cache holds for a file of this path, size and time: the same code has the same in each image.
        os.utime(path, (BUILT, BUILT))
    return python


def sealed(folder: Path) -> None:
    """Nothing in it can be written any more, as in an image that is the root's."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o555)


@contextmanager
def a_container(
    python: Path, module: str, environ: dict[str, str], log: Path, state: Path
) -> Iterator[Popen]:
    """The entry point; ended as an engine does, which has to end well."""
    with log.open("wb") as sink:
        process = start([*AS_NOBODY, str(python), "-P", "-m", module], log=sink, environ=environ, cwd=state)
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
    assert code == 0, log.read_text()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the images are built, one after the other in the same place, as they are in containers."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.slow
@pytest.mark.parametrize("image", sorted(set(SERVICES.values())))
async def test_an_image_builds_from_its_lock_and_its_services_run_in_it_as_nobody(
    image: str, bench: Path, tmp_path: Path, nats_server: NatsServer, database_url: str
) -> None:
    folder, state, fold = bench / "image", tmp_path / "state", bench / "fold"
    if folder.exists():
        folder.rename(bench / f"image-before-{image}")
    folder.mkdir()
    state.mkdir()
    python = build(image, folder)
    kernels = folder / "eddyline" / "kernels"
    told = {name: value for name, value in image_environment().items() if name != "PATH"}
    told |= {"NUMBA_CACHE_DIR": str(kernels), "EDDYLINE_STATE_DIR": str(state), "EDDYLINE_HOST": "127.0.0.1"}
    if image in COMPILED:
        if fold.exists():
            # The feature-store's image, built before, compiled the fold from nothing (half a minute). The trainer's
            # step finds that done and compiles the rest; what that leaves out would be compiled below, and seen.
            shutil.copytree(fold, kernels)
        assert "fold compiled" in run(str(python), "-P", "-m", COMPILED[image], **told)
        shutil.copytree(kernels, fold, dirs_exist_ok=True)
    compiled = {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb?")}
    assert bool(compiled) == (image in COMPILED)
    shutil.rmtree(folder / "src")
    sealed(folder)
    for path in [kernels, *kernels.rglob("*")] if compiled else []:
        path.chmod(path.stat().st_mode | 0o200)
    with ExitStack() as stack:
        running = []
        for name, module in (
            (name, service_command(name)[-1]) for name in SERVICES if SERVICES[name] == image
        ):
            environ = {
                **told,
                "EDDYLINE_PORT": str(free_port()),
                "EDDYLINE_NATS_URL": nats_server.url,
                "EDDYLINE_DATABASE_URL": database_url,
                "EDDYLINE_CONFIG": str(ROOT / "examples" / "shop.yaml"),
            }
            health = Health(python, composition()["services"][name]["healthcheck"]["test"], environ)
            assert not health.well()
            log = tmp_path / f"{name}.log"
            running.append(
                (health, stack.enter_context(a_container(python, module, environ, log, state)), log)
            )

        def all_are(well: Callable[[Health], bool]) -> bool:
            for _, process, log in running:
                assert process.poll() is None, log.read_text()
            return all(well(health) for health, _, _ in running)

        await wait_until(lambda: all_are(Health.answers), 90)
        await wait_until(lambda: all_are(Health.well), 10)
    assert {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb?")} == compiled
