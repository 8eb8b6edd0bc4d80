"""YAML to checked values: collects every problem with its line and remedy instead of stopping at the first."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from eddyline_features.durations import FOREVER, milliseconds

_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what to do about it."""

    line: int
    """From 1."""
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class ViewError(ValueError):
    """The configuration cannot be used; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass
class Problems:
    """What was found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, node: Node | int, message: str) -> None:
        """Note a problem at a node (or line)."""
        line = node if isinstance(node, int) else node.start_mark.line + 1
        self.found.append(Problem(line, message))

    def raise_if_any(self) -> None:
        """Raise them all at once."""
        if self.found:
            raise ViewError(self.found)


def compose(text: str) -> Node:
    """The document as nodes that know their lines.

    Raises
    ------
    ViewError
        If it is no YAML, or empty.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(
            mark.line + 1 if mark else 1,
            f"not YAML: {error.problem or error.context}; mind indentation and quotes",
        )
    except yaml.YAMLError as error:
        _refuse(1, f"not YAML: {str(error).splitlines()[0]}")
    except RecursionError:
        _refuse(1, "nested too deeply to be a view: flatten it")
    if root is None:
        _refuse(1, "the file is empty: start with `view: <name>`")
    return root


def _refuse(line: int, message: str) -> NoReturn:
    raise ViewError([Problem(line, message)])


def _shown(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value[:40])
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _nearest(word: str, options: Sequence[str]) -> str | None:
    """The option that was probably meant: a longer or shorter form of it, or one spelt nearly so."""
    forms = [option for option in options if word and (option.startswith(word) or word.startswith(option))]
    near = forms or difflib.get_close_matches(word, options, n=1)
    return near[0] if near else None


class Section:
    """A mapping of the file, whose keys are taken one by one; what is left over at `close` is unknown."""

    def __init__(self, node: Node, path: str, problems: Problems) -> None:
        self.node = node
        self.path = path
        self.line = node.start_mark.line + 1
        self.problems = problems
        self._members: dict[str, tuple[Node, Node]] = {}
        self._asked: list[str] = []
        if not isinstance(node, MappingNode):
            if not (isinstance(node, ScalarNode) and node.value == ""):
                what = f"`{path}`" if path else "the file"
                problems.add(node, f"{what} is {_shown(node)}; `key: value` lines are expected")
            return
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                problems.add(key, f"a key in `{path}` is {_shown(key)}; use a plain word")
            elif key.value in self._members:
                first = self._members[key.value][0].start_mark.line + 1
                problems.add(key, f"`{self.at(key.value)}` is given twice (first on line {first}): keep one")
            else:
                self._members[key.value] = (key, value)

    def at(self, key: str) -> str:
        """Path of a member, as messages name it."""
        return f"{self.path}.{key}" if self.path else key

    def keys(self) -> list[str]:
        """All keys that are there, in their order, for sections whose keys are the user's own words."""
        self._asked.extend(self._members)
        return list(self._members)

    def has(self, key: str) -> bool:
        """Whether the key is there; it counts as known from here on."""
        return self.take(key) is not None

    def take(self, key: str) -> Node | None:
        """The node of a member, or None; the key counts as known from here on."""
        self._asked.append(key)
        found = self._members.get(key)
        return found[1] if found else None

    def line_of(self, key: str) -> int:
        """Line of a member's key, or of the section when it is not there."""
        found = self._members.get(key)
        return found[0].start_mark.line + 1 if found else self.line

    def need(self, key: str, example: str) -> Node | None:
        """As `take`, but its absence is a problem."""
        node = self.take(key)
        if node is None and isinstance(self.node, MappingNode):
            self.problems.add(self.line, f"`{self.at(key)}` is missing: add, for example, `{key}: {example}`")
        return node

    def section(self, key: str) -> Section | None:
        """A nested section, or None."""
        node = self.take(key)
        return None if node is None else Section(node, self.at(key), self.problems)

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key, (node, _) in self._members.items():
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, n=1)
                hint = (
                    f"did you mean `{near[0]}`?"
                    if near
                    else f"known are {', '.join(sorted(set(self._asked)))}"
                )
                self.problems.add(node, f"`{self.at(key)}` is unknown: {hint}")

    # Scalars ---------------------------------------------------------------------------------------------

    def word(self, key: str, *, default: str | None = None, example: str = "name") -> str | None:
        """A string; required where there is no default."""
        node = self.take(key) if default is not None else self.need(key, example)
        if node is None:
            return default
        if isinstance(node, ScalarNode) and node.tag == _STR and node.value:
            return str(node.value)
        self.problems.add(
            node, f"`{self.at(key)}` is {_shown(node)}; a word is expected, as `{key}: {example}`"
        )
        return None

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str | None:
        """One of a few words."""
        node = self.take(key) if default is not None else self.need(key, options[0])
        if node is None:
            return default
        return self.one_of(node, self.at(key), options)

    def one_of(self, node: Node, path: str, options: Sequence[str]) -> str | None:
        """Check a node against a few words."""
        if isinstance(node, ScalarNode) and node.value in options:
            return str(node.value)
        near = _nearest(node.value, options) if isinstance(node, ScalarNode) else None
        hint = f"did you mean `{near}`?" if near else f"use one of {', '.join(options)}"
        self.problems.add(node, f"`{path}` is {_shown(node)}: {hint}")
        return None

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds (both included)."""
        node = self.take(key)
        if node is None:
            return default
        if isinstance(node, ScalarNode) and node.tag == _INT:
            try:
                value = int(node.value.replace("_", ""))
            except ValueError:
                value = least - 1
            if least <= value <= most:
                return value
        self.problems.add(
            node, f"`{self.at(key)}` is {_shown(node)}; a whole number from {least:,} to {most:,} is expected"
        )
        return default

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number within bounds (both included)."""
        node = self.take(key)
        if node is None:
            return default
        value = as_number(node)
        if value is not None and least <= value <= most:
            return value
        self.problems.add(
            node, f"`{self.at(key)}` is {_shown(node)}; a number from {least:g} to {most:g} is expected"
        )
        return default

    def duration(self, key: str, default: int | None = None, *, example: str = "10m") -> int | None:
        """A duration above zero, in ms."""
        node = self.take(key) if default is not None else self.need(key, example)
        if node is None:
            return default
        return self.as_duration(node, self.at(key))

    def as_duration(self, node: Node, path: str, *, forever: bool = False) -> int | None:
        """Check a node as a duration."""
        if isinstance(node, ScalarNode):
            if forever and node.value == "forever":
                return FOREVER
            value = milliseconds(node.value)
            if value is not None and value > 0:
                return value
        also = ", or `forever`" if forever else ""
        self.problems.add(
            node, f"`{path}` is {_shown(node)}; a duration is expected, such as 10s, 5m, 1h or 7d{also}"
        )
        return None

    def members(self, key: str) -> list[Node]:
        """The nodes of a list; a single value counts as a list of one."""
        node = self.take(key)
        if node is None:
            return []
        if isinstance(node, SequenceNode):
            if not node.value:
                self.problems.add(node, f"`{self.at(key)}` is empty: name at least one, or leave the key out")
            return list(node.value)
        return [node]


def as_number(node: Node) -> float | None:
    """A finite number, or None."""
    # YAML 1.1 reads `1e-3` as a string: so any unquoted scalar that is a number counts as one.
    if isinstance(node, ScalarNode) and node.style is None and node.tag in (_INT, _FLOAT, _STR):
        try:
            value = float(node.value.replace("_", ""))
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    return None


def as_text(node: Node) -> str | None:
    """A value as field values are compared: strings as they are, numbers and true/false in their JSON spelling."""
    if not isinstance(node, ScalarNode):
        return None
    if node.tag == _STR:
        return str(node.value)
    if node.tag == _BOOL:
        return str(node.value) if node.value in ("true", "false") else None
    value = as_number(node)
    if value is None:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
