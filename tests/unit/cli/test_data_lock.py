"""One Eddyline a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eddyline_cli.supervisor.data_lock import AlreadyRunning, holder, locked


def test_a_second_run_is_refused_with_the_process_id_of_the_first(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with (
            pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}\b.*(?s:.*)eddyline down"),
            locked(tmp_path),
        ):
            pass
    assert holder(tmp_path) is None
    with locked(tmp_path):
        pass


def test_a_folder_that_is_not_there_is_held_by_nobody(tmp_path: Path) -> None:
    assert holder(tmp_path / "none") is None


def test_the_lock_of_a_killed_run_lives_on_in_its_guard_and_the_next_run_waits_for_it(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from eddyline_cli.supervisor.data_lock import locked\n"
        "with locked(Path(sys.argv[1])) as lock:\n"
        "    heir = subprocess.Popen(['sleep', '0.4'], pass_fds=[lock])\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    dead = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    dead.wait()
    assert holder(tmp_path) == 0
    with locked(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_a_lock_on_a_deleted_folder_guards_nothing_so_it_is_taken_anew(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with locked(folder):
        (folder / "lock").unlink()
        with locked(folder):
            assert holder(folder) == os.getpid()
