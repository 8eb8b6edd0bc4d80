"""User agent: what a person's browser says that it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_request_path, read_some_of
from eddyline_features.declarations.paths import FieldPath
from eddyline_features.yaml_reader import Section

AGENT_WORDS = {
    "platform": ("mobile", "tablet", "desktop", "tv", "other"),
    "os": ("ios", "android", "windows", "macos", "linux", "chromeos", "other"),
    "browser": ("chrome", "safari", "firefox", "edge", "opera", "samsung", "ie", "other"),
}
"""What each output may be; codes are the places."""
AGENT_OUTPUTS = (*AGENT_WORDS, "bot")


@dataclass(frozen=True, kw_only=True)
class UserAgent:
    """Platform, operating system and browser by a user agent's text, as codes or one-hot, and whether it is a bot."""

    name: str
    field: FieldPath
    outputs: tuple[str, ...]
    one_hot: bool

    @property
    def columns(self) -> list[str]:
        found: list[str] = []
        for output in self.outputs:
            if self.one_hot and output in AGENT_WORDS:
                found += [f"{self.name}_{output}={word}" for word in AGENT_WORDS[output]]
            else:
                found.append(f"{self.name}_{output}")
        return found

    @property
    def coded_columns(self) -> tuple[int, ...]:
        if self.one_hot:
            return ()
        return tuple(place for place, output in enumerate(self.outputs) if output in AGENT_WORDS)


def _user_agent(section: Section, name: str, actions: Sequence[str]) -> UserAgent:
    return UserAgent(
        name=name,
        field=read_request_path(section, "context.user_agent"),
        outputs=read_some_of(section, "outputs", AGENT_OUTPUTS, AGENT_OUTPUTS),
        one_hot=section.choice("encode", ("index", "one-hot"), default="index") == "one-hot",
    )


READERS: dict[str, Reader] = {"user_agent": _user_agent}
