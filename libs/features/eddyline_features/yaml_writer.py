"""Words and lines of eddyline.yaml: whatever stands in the data comes out as YAML that reads back as the same word."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_NOT_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
_WIDTH = 110
_IN_NAME = re.compile(r"[^A-Za-z0-9_]+")


def word(text: str) -> str:
    """The text as a YAML scalar, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_WORDS:
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def flow(members: dict[str, str]) -> str:
    """``{key: value, …}``; the values are YAML already."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in members.items()) + "}"


def flow_list(members: list[str]) -> str:
    """``[a, b]``, or ``a`` alone."""
    return members[0] if len(members) == 1 else "[" + ", ".join(members) + "]"


def wrapped(key: str, members: list[str], indent: str = "") -> list[str]:
    """``key: [a, b, …]`` in as many lines as it takes; the members are YAML already."""
    lines, line = [], f"{indent}{key}: ["
    for number, member in enumerate(members):
        part = member + ("]" if number == len(members) - 1 else ",")
        if len(line) + 1 + len(part) > _WIDTH and not line.endswith("["):
            lines.append(line)
            line = indent + " "
        line += part if line.endswith("[") else " " + part
    return [*lines, line]


def comment(text: str, indent: str = "") -> list[str]:
    """Lines of comment, wrapped; no character of the text can end them early."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    lines, line = [], indent + "#"
    for part in printable.split(" "):
        if len(line) + 1 + len(part) > _WIDTH and line != indent + "#":
            lines.append(line)
            line = indent + "#"
        line += " " + part
    return [*lines, line]


def shown(text: str) -> str:
    """A name of the data, short enough for a comment."""
    return text if len(text) <= 60 else text[:57] + "…"


class Names:
    """Feature names from field names: allowed characters only, each one once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, wanted: str) -> str:
        """A name that nothing else has."""
        base = _IN_NAME.sub("_", wanted).strip("_")[:60] or "field"
        if not re.match("[A-Za-z_]", base) or base.lower() in _NOT_WORDS:
            base = f"f_{base}"
        name, n = base, 1
        while name in self._taken:
            n += 1
            name = f"{base}_{n}"
        self._taken.add(name)
        return name
