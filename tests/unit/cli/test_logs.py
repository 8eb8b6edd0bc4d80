"""Logs are bounded, and a process that has its log open goes on at the new end."""

from __future__ import annotations

from pathlib import Path

from eddyline_cli.supervisor.logs import bound, tail


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("short\n")
    assert not bound(log, max_bytes=100)
    assert not (tmp_path / "a.log.1").exists()


def test_a_large_log_is_moved_aside_and_its_writer_goes_on_in_the_empty_file(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200 + b"\n")
        assert bound(log, max_bytes=100)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "a.log.1").stat().st_size == 201


def test_a_log_that_was_never_written_is_no_fault(tmp_path: Path) -> None:
    assert not bound(tmp_path / "none.log")
    assert "no log" in tail(tmp_path / "none.log")


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(10_000)))
    assert tail(log, 2) == "line 9998\nline 9999"
