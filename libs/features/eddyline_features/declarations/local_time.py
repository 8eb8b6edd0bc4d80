"""Local time: the hour and the day where the person is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_offset, read_path, read_some_of
from eddyline_features.declarations.paths import CONTEXT
from eddyline_features.yaml_reader import Section

LOCAL_TIME_OUTPUTS = (
    "time_of_day", "day_of_week", "day_of_month", "month_of_year", "year", "second_of_day", "second",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LocalTime:
    """The hour, weekday and so on of the request, by the time in one of its fields or by its own."""

    name: str
    field: str | None
    """Of the context; None takes the time of the request."""
    offset_ms: int
    """What a time without an offset of its own is ahead of UTC."""
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


def _local_time(section: Section, name: str, actions: Sequence[str]) -> LocalTime:
    field = None
    if section.has("field"):
        path = read_path(section)
        field = path.name
        if path.name and path.scope != CONTEXT:
            section.problems.add(
                section.line_of("field"),
                f"`{section.at('field')}` is `{path}`; the time of a request is in its context: context.<field>, "
                "or leave it out for the time at which it is asked",
            )
    return LocalTime(
        name=name,
        field=field,
        offset_ms=read_offset(section),
        outputs=read_some_of(section, "outputs", LOCAL_TIME_OUTPUTS, ("time_of_day", "day_of_week")),
    )


READERS: dict[str, Reader] = {"local_time": _local_time}
