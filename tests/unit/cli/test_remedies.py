"""Each refusal of a command says what to do: found in the source, so that a new one is asked the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import eddyline_cli

FOLDER = Path(eddyline_cli.__file__).parent
DO = (
    *(
        "name ",
        "give ",
        "set ",
        "add ",
        "leave ",
        "start ",
        "stop ",
        "use ",
        "see ",
        "look ",
        "mend ",
        "choose ",
    ),
    *("run ", "send ", "expected", "which column", "try ", "say ", "`eddyline ", "write ", "take ", "end "),
    *("wait ", "install ", "check ", "free ", "delete ", "raise ", "make ", "are kept in", "can be"),
)
"""Words by which a reader is told what to do."""


def refusals() -> Iterator[tuple[str, str]]:
    """Place and text of each `Refused` that has a text of its own."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            if node.func.id in ("Refused", "ConfigRefused", "PortTaken", "OtherMajor"):
                text = "".join(
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                if len(text) > 20:
                    yield f"{path.relative_to(FOLDER)}:{node.lineno}", text


@pytest.mark.parametrize(("place", "text"), list(refusals()), ids=lambda value: value[:40])
def test_each_refusal_of_a_command_says_what_to_do(place: str, text: str) -> None:
    assert any(word in text.lower() for word in DO), f"{place} only says what is wrong: {text!r}"


def test_refusals_are_found_at_all() -> None:
    assert len(list(refusals())) > 15
