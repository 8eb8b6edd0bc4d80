"""Energy is read where the machine tells, and estimated, saying so, where it does not."""

from __future__ import annotations

from pathlib import Path

from eddyline_runtime.cost import WATTS_PER_CORE, Energy, Meter


def a_package(root: Path, number: int, microjoules: int) -> Path:
    """As the kernel shows one."""
    package = root / f"intel-rapl:{number}"
    package.mkdir(exist_ok=True)
    (package / "energy_uj").write_text(f"{microjoules}\n")
    (package / "max_energy_range_uj").write_text("100000000\n")
    return package


def test_two_packages_are_added_and_a_counter_may_run_over(tmp_path: Path) -> None:
    a_package(tmp_path, 0, 5_000_000)
    a_package(tmp_path, 1, 99_000_000)
    energy = Energy(tmp_path)
    before = energy.read()
    a_package(tmp_path, 0, 8_000_000)
    a_package(tmp_path, 1, 2_000_000)
    assert energy.since(before, cpu_seconds=7.0) == (3.0 + 3.0, "rapl")


def test_without_counters_it_is_cpu_seconds_times_a_stated_figure(tmp_path: Path) -> None:
    energy = Energy(tmp_path / "none")
    assert energy.since(energy.read(), cpu_seconds=2.0) == (2.0 * WATTS_PER_CORE, "cpu_seconds x 10 W")
    package = a_package(tmp_path, 0, 1)
    (package / "energy_uj").write_text("not for you")
    assert Energy(tmp_path).since({}, cpu_seconds=1.0)[1] == "cpu_seconds x 10 W"


def test_a_phase_is_counted_by_both_clocks_and_phases_add_up(tmp_path: Path) -> None:
    meter = Meter(Energy(tmp_path))
    with meter.phase("train"):
        sum(range(200_000))
    meter.add("train", 1.0, 0.5)
    cost = meter.cost(n_slates=3, n_examples=30)
    assert cost["wall_seconds"]["train"] > 1.0
    assert cost["cpu_seconds"]["train"] > 0.5
    assert cost["peak_memory_bytes"] > 10e6
    assert (cost["slates"], cost["examples"]) == (3, 30)
