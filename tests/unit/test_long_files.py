"""The files that take longest come first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.long_files import ROOT, SECONDS, long_first


@dataclass(frozen=True)
class A:
    """A collected test."""

    path: Path
    name: str


def test_long_files_come_first_and_a_files_tests_stay_together_in_their_order() -> None:
    names = ["tests/unit/test_a.py", *reversed(SECONDS), "tests/unit/test_b.py"]
    items = [A(ROOT / name, which) for name in names for which in ("second", "first")]
    long_first(items)
    found = [SECONDS.get(item.path.relative_to(ROOT).as_posix(), 0) for item in items]
    assert found == sorted(found, reverse=True)
    assert [item.path for item in items[::2]] == [item.path for item in items[1::2]]
    assert [item.path.name for item in items[-4::2]] == ["test_a.py", "test_b.py"]
    assert [item.name for item in items] == ["second", "first"] * len(names)


def test_every_file_that_is_called_long_exists() -> None:
    assert [name for name in SECONDS if not (ROOT / name).exists()] == []
    assert list(SECONDS.values()) == sorted(SECONDS.values(), reverse=True)
