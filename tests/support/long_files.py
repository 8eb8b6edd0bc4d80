"""Which files take long: they start first, so that at the end of a run nobody waits for one that began late."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
SECONDS = {
    "tests/e2e/test_demo.py": 100,
    "tests/e2e/test_kill.py": 80,
    "tests/integration/api/test_fuzzing.py": 65,
    "tests/unit/learning/test_reality.py": 65,
    "tests/integration/deploy/test_image.py": 60,
    "tests/e2e/test_up.py": 40,
    "tests/e2e/test_readme.py": 35,
    "tests/property/features/test_compiled_equals_uncompiled.py": 30,
    "tests/integration/trainer/test_champion.py": 30,
    "tests/e2e/test_simulate.py": 25,
    "tests/unit/learning/test_cycle.py": 25,
    "tests/integration/cli/test_models_command.py": 20,
    "tests/e2e/test_doctor.py": 20,
    "tests/property/features/test_fold_laws.py": 18,
    "tests/integration/cli/test_same_examples.py": 18,
    "tests/integration/ingest/test_log_writer.py": 18,
    "tests/e2e/test_view_change.py": 17,
    "tests/integration/trainer/test_by_hand.py": 16,
    "tests/integration/trainer/test_turn.py": 16,
    "tests/e2e/test_recommend.py": 15,
    "tests/property/features/test_retrieval_laws.py": 15,
    "tests/integration/client/test_doors.py": 15,
    "tests/integration/ingest/test_publishing.py": 15,
    "tests/integration/ranker/test_champion.py": 14,
    "tests/integration/ranker/test_outages.py": 14,
    "tests/integration/cli/test_import_datasets.py": 14,
    "tests/integration/feature_store/test_replicas.py": 14,
    "tests/integration/cli/test_changeover.py": 13,
    "tests/e2e/test_client.py": 12,
    "tests/e2e/test_parity.py": 12,
    "tests/e2e/test_metarank_vectors.py": 12,
    "tests/integration/feature_store/test_snapshots.py": 12,
    "tests/unit/learning/test_onnx_export.py": 12,
    "tests/unit/learning/test_prequential.py": 12,
    "tests/unit/cli/test_autoconfig.py": 11,
    "tests/integration/encoder/test_encoding.py": 11,
    "tests/integration/ranker/test_degraded.py": 11,
    "tests/unit/cli/test_evaluate.py": 10,
    "tests/unit/cli/test_evaluate_off_policy.py": 10,
    "tests/unit/learning/outside/test_competing.py": 10,
    "tests/integration/trainer/test_outside.py": 10,
    "tests/e2e/test_fresh_items.py": 10,
}
"""Roughly, of files that take ten seconds or more, two at a time on two cores. Who adds such a file adds it here."""


class Collected(Protocol):
    """A test that was found."""

    @property
    def path(self) -> Path: ...


def long_first(items: list[Collected]) -> None:
    """Sort tests by how long their files take, the longest first; a file's tests keep their order and stay together."""
    items.sort(key=lambda item: -SECONDS.get(item.path.relative_to(ROOT).as_posix(), 0))
