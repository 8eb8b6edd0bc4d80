"""The pages of docs/features: each example is a view, events and what comes out, and all three are run.

An example is, in this order: a ``yaml`` block (the members of eddyline.yaml that matter; the rest is added), a
``jsonl`` block of events, a sentence with the time, the user and the candidates in backquotes (``at `…`, user `…``,
``session `…``, ``the candidates `a, b```, ``context `{…}``), and a ``text`` block: a header with the
candidates, then each column with a value for each of them; ``-`` is NaN. A sentence may also give the candidates' own
fields: ``fields `[{…}, {…}]``.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eddyline_contracts.record import Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import load_view

PAGES = Path(__file__).parents[2] / "docs" / "features"
_HEAD = {"view": "view: example", "label_window": "label_window: 10m", "actions": "actions: {click: 1}"}
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@dataclass
class Example:
    """One example of a page."""

    view: str
    events: list[str]
    sentence: str
    expected: dict[str, list[float]]

    def told(self, what: str) -> str | None:
        """What stands in backquotes after a word of the sentence."""
        found = re.search(rf"\b{what} `(.*?)`", self.sentence, re.DOTALL | re.IGNORECASE)
        return found.group(1) if found else None


def examples(page: Path) -> list[Example]:
    """All examples of a page; a view may serve several."""
    text = page.read_text()
    found: list[Example] = []
    view, events, end = "", "", 0
    for block in _BLOCK.finditer(text):
        language, body = block.groups()
        if language == "yaml":
            view = body
        elif language == "jsonl":
            events = body
        elif language == "text":
            found.append(Example(_whole(view), events.splitlines(), text[end : block.start()], _table(body)))
        end = block.end()
    return found


def _whole(view: str) -> str:
    missing = [line for key, line in _HEAD.items() if not re.search(rf"^{key}:", view, re.MULTILINE)]
    return "\n".join([*missing, view])


def _table(body: str) -> dict[str, list[float]]:
    rows = [line.split() for line in body.splitlines()[1:] if line.strip()]
    return {row[0]: [math.nan if cell == "-" else float(cell) for cell in row[1:]] for row in rows}


def computed(example: Example) -> dict[str, list[float]]:
    """What the fold gives."""
    state = State(load_view(example.view))
    state.apply_all(
        decode_record(Record(n, str(n), "", 2**52, 2**52, line.encode()))
        for n, line in enumerate(example.events, 1)
    )
    items = [item.strip() for item in (example.told("candidates?") or "").split(",")]
    at = datetime.fromisoformat(example.told("at") or "")
    fields: list[dict[str, Any]] | None = json.loads(example.told("fields") or "null")
    context: dict[str, Any] = json.loads(example.told("context") or "{}")
    vectors = state.vectors(
        example.told("user"), example.told("session"), items, fields, context, round(at.timestamp() * 1_000)
    )
    return {name: vectors[:, column].tolist() for column, name in enumerate(state.view.columns)}
