"""Every command's help has examples, and each of them can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from eddyline_cli.main import _COMMANDS, main


def commands() -> Iterator[tuple[str, click.Command]]:
    """All, subcommands of groups too, by what is typed."""
    root = click.Context(main)
    for name in _COMMANDS:
        found = main.get_command(root, name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            for sub, command in found.commands.items():
                yield f"{name} {sub}", command


def example_lines(command: click.Command) -> list[str]:
    """As they are printed."""
    _, _, lines = (command.epilog or "").partition("Examples:\n")
    return [line.strip() for line in lines.splitlines() if line.strip()]


def calls(line: str) -> Iterator[list[str]]:
    """The words after ``eddyline`` of each call in a line of shell."""
    for part in re.split(r"\|\||&&|[|;]", re.sub(r"'[^']*'", "TEXT", line.partition(" #")[0])):
        words = shlex.split(part)
        if "eddyline" in words:
            yield words[words.index("eddyline") + 1 :]


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_examples_whose_options_exist(name: str) -> None:
    command = dict(commands())[name]
    lines = example_lines(command)
    assert lines, f"eddyline {name} has no examples"
    assert any(call[: len(name.split())] == name.split() for line in lines for call in calls(line))
    for line in lines:
        for words in calls(line):
            ctx, rest = click.Context(main), words
            found: click.Command = main
            while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
                sub = found.get_command(ctx, rest[0])
                assert sub is not None, f"{line}: there is no {rest[0]}"
                found, rest = sub, rest[1:]
            known = {"--help", "-h"} | {opt for p in found.params for opt in (*p.opts, *p.secondary_opts)}
            named = [word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"]
            assert set(named) <= known, f"{line}: {set(named) - known} unknown"


def test_an_unknown_command_is_told_its_nearest() -> None:
    told = CliRunner().invoke(main, ["improt"])
    assert told.exit_code == 2
    assert "did you mean `eddyline import`?" in told.output


def test_the_bare_command_says_how_to_begin() -> None:
    told = CliRunner().invoke(main, [])
    assert told.exit_code == 0
    assert "eddyline up" in told.output
