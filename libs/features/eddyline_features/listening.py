"""What a reader of eddyline.yaml asks for and what it accepts, found by running it and listening.

Nothing is written down twice: the reader itself is asked. It is given mappings (first none, then what it says is
missing, then each word that it would take), and `Listening` notes every question with its bounds; where it looks at a
value by itself, samples of all forms are tried, and those that it does not complain about are forms of that key.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from eddyline_features.yaml_reader import Problems, Section, compose

Read = Callable[[Section], object]
AN_ACTION = "any_action"
"""Stands for the names of actions, which are the user's own."""
SAMPLES = (
    *("zzz", "zzz.example", '"two words"', "item", "item.zzz", "user", "user.zzz", "session", "slate.zzz"),
    *("context.zzz", "column.zzz", "global", "7d", "forever", "1", "0.5", "true", '"+01:00"'),
)
"""As they are written; a value of each form that some key takes."""
_NUMBERED = re.compile(r"([a-z_]+)\d+")


@dataclass
class Heard:
    """All that was asked about one key."""

    required: bool = False
    """It is missed wherever it is not there."""
    example: str | None = None
    default: Any = None
    options: dict[str, None] = field(default_factory=dict)
    """Words, in the order in which the reader names them."""
    integer: tuple[int, int] | None = None
    number: tuple[float, float] | None = None
    """Bounds, both included."""
    duration: bool = False
    forever: bool = False
    many: bool = False
    """A list is taken, too."""
    nested: bool = False
    raw: bool = False
    """The reader looks at the value by itself."""
    accepted: dict[str, None] = field(default_factory=dict)
    """Samples that it takes."""
    lengths: set[int] = field(default_factory=set)
    """Of lists of which the example is one, where it takes no single value."""


class Listening(Section):
    """A section that notes what it is asked, and answers as any other."""

    def __init__(self, node: Node, problems: Problems, heard: dict[str, Heard]) -> None:
        super().__init__(node, "", problems)
        self._heard = heard
        self._asking = False

    def _of(self, key: str) -> Heard:
        return self._heard.setdefault(key, Heard())

    @contextmanager
    def _typed(self) -> Iterator[None]:
        before, self._asking = self._asking, True
        try:
            yield
        finally:
            self._asking = before

    def take(self, key: str) -> Node | None:
        heard = self._of(key)
        if not self._asking:
            heard.raw = True
        return super().take(key)

    def need(self, key: str, example: str) -> Node | None:
        heard = self._of(key)
        heard.required = heard.required or key not in self._members
        heard.example = heard.example or example
        return super().need(key, example)

    def section(self, key: str) -> Section | None:
        self._of(key).nested = True
        with self._typed():
            super().take(key)
        return None

    def word(self, key: str, *, default: str | None = None, example: str = "name") -> str | None:
        self._of(key).raw = True
        with self._typed():
            return super().word(key, default=default, example=example)

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str | None:
        heard = self._of(key)
        heard.default = heard.default or default
        heard.options |= dict.fromkeys(options)
        with self._typed():
            return super().choice(key, options, default)

    def one_of(self, node: Node, path: str, options: Sequence[str]) -> str | None:
        self._of(path).options |= dict.fromkeys(options)
        return super().one_of(node, path, options)

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        heard = self._of(key)
        old = heard.integer or (least, most)
        heard.integer = min(old[0], least), max(old[1], most)
        heard.default = default if heard.default is None else heard.default
        with self._typed():
            return super().integer(key, default, least, most)

    def number(self, key: str, default: float, least: float, most: float) -> float:
        heard = self._of(key)
        old = heard.number or (least, most)
        heard.number = min(old[0], least), max(old[1], most)
        heard.default = default if heard.default is None else heard.default
        with self._typed():
            return super().number(key, default, least, most)

    def duration(self, key: str, default: int | None = None, *, example: str = "10m") -> int | None:
        self._of(key).duration = True
        with self._typed():
            return super().duration(key, default, example=example)

    def as_duration(self, node: Node, path: str, *, forever: bool = False) -> int | None:
        heard = self._of(path)
        heard.duration = True
        heard.forever = heard.forever or forever
        return super().as_duration(node, path, forever=forever)

    def members(self, key: str) -> list[Node]:
        heard = self._of(key)
        heard.many = heard.raw = True
        with self._typed():
            return super().members(key)


class Unheard(Exception):
    """A reader cannot be satisfied with what it says itself: its examples do not make a valid mapping."""


def listen(read: Read) -> dict[str, Heard]:
    """All keys of a reader, in the order in which it asks for them.

    Raises
    ------
    Unheard
        If the examples that the reader gives for what is missing are not enough for it.
    """
    heard: dict[str, Heard] = {}
    base = _valid(read, heard)
    contexts: list[dict[str, str]] = [base]
    tried: dict[tuple[tuple[str, str], ...], dict[str, str]] = {tuple(base.items()): base}
    known = -1
    while known < (known := _amount(heard)):
        for context in _contexts(base, heard):
            name = tuple(context.items())
            if name not in tried:
                tried[name] = context
                before = _amount(heard)
                _run(read, context, heard)
                # Others are like one that is there already.
                if _amount(heard) > before:
                    contexts.append(context)
        _probe(read, contexts, heard)
    for key, one in heard.items():
        one.required = one.required and all(_misses(read, context, key) for context in tried.values())
    return heard


def _misses(read: Read, context: Mapping[str, str], key: str) -> bool:
    without: dict[str, Heard] = {}
    _run(read, {name: text for name, text in context.items() if name != key}, without)
    return key in without and without[key].required


def _amount(heard: Mapping[str, Heard]) -> int:
    """Grows with everything that is heard for the first time."""
    return len(heard) + sum(
        len(one.options)
        + len(one.accepted)
        + one.duration
        + one.forever
        + one.many
        + one.raw
        + one.nested
        + (one.example is not None)
        + (one.integer is not None)
        + (one.number is not None)
        for one in heard.values()
    )


def _valid(read: Read, heard: dict[str, Heard]) -> dict[str, str]:
    given: dict[str, str] = {}
    for _ in range(20):
        complaints = _run(read, given, heard)
        missing = [key for key, one in heard.items() if one.required and key not in given]
        if not missing:
            if complaints:
                raise Unheard(f"with {given}: {complaints}")
            return given
        for key in missing:
            given[key] = heard[key].example or "zzz"
    raise Unheard(f"there is always more missing than {given}")


def _contexts(base: Mapping[str, str], heard: Mapping[str, Heard]) -> Iterator[dict[str, str]]:
    """The base with each word that a key takes, and with all of its words where it takes several."""
    for key, one in list(heard.items()):
        words = [*one.options, *(sample for sample in one.accepted if sample not in one.options)]
        for word in words:
            yield {**base, key: word}
        if one.many and len(one.options) > 1:
            yield {**base, key: f"[{', '.join(one.options)}]"}


def _probe(read: Read, contexts: Sequence[Mapping[str, str]], heard: dict[str, Heard]) -> None:
    for key in list(heard):
        one = heard[key]
        if not one.raw or one.nested:
            continue
        samples = [
            *SAMPLES,
            *(f"{found[1]}3" for word in one.options if (found := _NUMBERED.fullmatch(word))),
        ]
        for sample in samples:
            if (
                sample not in one.accepted
                and sample not in one.options
                and _takes(read, contexts, key, sample, heard)
            ):
                one.accepted[sample] = None
        if not one.accepted and not one.options and not one.duration and one.example:
            _measure(read, contexts, key, one, heard)


def _measure(
    read: Read, contexts: Sequence[Mapping[str, str]], key: str, one: Heard, heard: dict[str, Heard]
) -> None:
    """How long a list must be that is the only form of a key."""
    members = yaml.safe_load(one.example or "")
    if not isinstance(members, list):
        return
    for n in range(1, 2 * len(members) + 1):
        text = f"[{', '.join(map(str, (members * 2)[:n]))}]"
        if _takes(read, contexts, key, text, heard):
            one.lengths.add(n)


def _takes(
    read: Read, contexts: Sequence[Mapping[str, str]], key: str, text: str, heard: dict[str, Heard]
) -> bool:
    """Whether there is a context in which nothing is wrong with this value."""
    # The keys that the value stands beside may be wrong because of it: only what is said about it counts.
    return any(
        all(line != _line(key, context) for line, _ in _run(read, {**context, key: text}, heard))
        for context in contexts
    )


def _line(key: str, context: Mapping[str, str]) -> int:
    return 2 + list({**context, key: ""}).index(key)


def _run(read: Read, given: Mapping[str, str], heard: dict[str, Heard]) -> list[tuple[int, str]]:
    """Line and message of each complaint about a mapping; its first key stands on line 2, the next on 3 …"""
    problems = Problems()
    pairs = [
        (_on_line(key, line), _on_line(text, line)) for line, (key, text) in enumerate(given.items(), start=1)
    ]
    node = MappingNode("tag:yaml.org,2002:map", pairs, yaml.Mark("", 0, 0, 0, None, 0))
    read(Listening(node, problems, heard))
    return [(problem.line, problem.message) for problem in problems.found]


def _on_line(text: str, line: int) -> Node:
    return _moved(_composed(text), yaml.Mark("", 0, line, 0, None, 0))


@cache
def _composed(text: str) -> Node:
    return compose(text)


def _moved(node: Node, mark: yaml.Mark) -> Node:
    moved = copy.copy(node)
    moved.start_mark = mark
    if isinstance(moved, SequenceNode):
        moved.value = [_moved(member, mark) for member in moved.value]
    elif not isinstance(moved, ScalarNode):
        moved.value = [(_moved(key, mark), _moved(value, mark)) for key, value in moved.value]
    return moved
