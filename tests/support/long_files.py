"""Which files take long: they start first, so that at the end of a run nobody waits for one that began late."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
SECONDS = {
    "tests/e2e/test_demo.py": 100,
    "tests/integration/deploy/test_image.py": 90,
    "tests/integration/api/test_fuzzing.py": 90,
    "tests/e2e/test_kill.py": 75,
    "tests/e2e/test_view_change.py": 60,
    "tests/e2e/test_up.py": 60,
    "tests/e2e/test_simulate.py": 50,
    "tests/e2e/test_readme.py": 40,
    "tests/property/features/test_compiled_equals_uncompiled.py": 30,
    "tests/e2e/test_client.py": 30,
    "tests/integration/trainer/test_champion.py": 30,
    "tests/e2e/test_recommend.py": 25,
    "tests/e2e/test_metarank_vectors.py": 25,
    "tests/e2e/test_parity.py": 25,
    "tests/e2e/test_doctor.py": 20,
    "tests/property/features/test_fold_laws.py": 20,
    "tests/integration/cli/test_same_examples.py": 20,
    "tests/integration/cli/test_models_command.py": 20,
    "tests/integration/ingest/test_log_writer.py": 20,
    "tests/unit/learning/test_cycle.py": 18,
    "tests/e2e/test_fresh_items.py": 15,
    "tests/integration/client/test_doors.py": 15,
    "tests/integration/trainer/test_by_hand.py": 15,
    "tests/integration/ingest/test_publishing.py": 15,
    "tests/integration/cli/test_import_datasets.py": 14,
    "tests/integration/feature_store/test_replicas.py": 14,
    "tests/integration/cli/test_changeover.py": 13,
    "tests/integration/feature_store/test_snapshots.py": 12,
    "tests/integration/trainer/test_outside.py": 10,
}
"""Roughly, of files that take ten seconds or more, two at a time on two cores. Who adds such a file adds it here."""


class Collected(Protocol):
    """A test that was found."""

    @property
    def path(self) -> Path: ...


def long_first(items: list[Collected]) -> None:
    """Sort tests by how long their files take, the longest first; a file's tests keep their order and stay together."""
    items.sort(key=lambda item: -SECONDS.get(item.path.relative_to(ROOT).as_posix(), 0))
