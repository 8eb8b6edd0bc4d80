"""Looks through files of events to propose a view for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eddyline_cli.commands.event_files import CsvOptions, opened
from eddyline_cli.sending.event_lines import Line
from eddyline_cli.sending.translated import Accounted, LineSource
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import to_millis
from eddyline_contracts.limits import Refusal
from eddyline_contracts.record import Logged
from eddyline_features.autoconfig import Profile, propose

_TELL = 5
_SAYS_NOTHING = ("events", "interactions", "ratings", "data", "log", "-")


@dataclass
class Examined:
    """What was found."""

    profile: Profile = field(default_factory=Profile)
    refused: Counter[str] = field(default_factory=Counter)
    """Lines that are no events, by code; rows of tables, by reason."""
    remarks: list[str] = field(default_factory=list)
    """For people: how tables were understood, and the first refused lines."""
    sequence: int = 0


def config_for(paths: Sequence[str | Path], options: CsvOptions | None = None) -> str:
    """The text of a view that fits these files of events.

    Raises
    ------
    DamagedFile
        If a compressed file breaks off.
    UnknownColumn
        If a CSV file has no such column as ``options`` names.
    """
    names = [str(path) for path in paths]
    return config_of(examine(opened(names, options or CsvOptions())), names)


def config_of(
    seen: Examined, paths: Sequence[str], name: str | None = None, *, content: bool | None = None
) -> str:
    """The text of a view, named after the first file unless ``name`` is given; ``content``: as `propose` has it."""
    return propose(seen.profile, name=name or _name_from(paths[0]), content=content)


def examine(sources: Sequence[Callable[[], LineSource]]) -> Examined:
    """Read all files once."""
    seen = Examined()
    for source in sources:
        file = source()
        for logged in _logged(file.path, file.lines(), seen):
            seen.profile.add(logged)
        if isinstance(file, Accounted):
            seen.refused.update(file.counts.refused)
            told = [
                f"{file.counts.rows:,} rows, {file.counts.events:,} events",
                *file.notes,
                *file.counts.reasons(),
            ]
            seen.remarks += [f"{file.path}: {line}" for line in told]
    n_lines = seen.refused.total()
    if n_lines > _TELL:
        seen.remarks.append(f"refused in all: {n_lines:,} lines")
    return seen


def _logged(path: str, lines: Iterator[Line], seen: Examined) -> Iterator[Logged]:
    clock = 0
    for line in lines:
        try:
            event = decode_event(line.raw)
        except Refusal as refusal:
            seen.refused[refusal.code] += 1
            if seen.refused.total() <= _TELL:
                seen.remarks.append(f"{path}:{line.number}: refused: {refusal.detail} ({refusal.code})")
            continue
        seen.sequence += 1
        # What has no time of its own happened, as far as one can tell, with what came before it.
        clock = clock if event.occurred_at is None else to_millis(event.occurred_at)
        yield Logged(seen.sequence, event.id or f"line-{seen.sequence}", clock, clock, event)


def _name_from(path: str) -> str:
    found = Path(path)
    stem = found.name.split(".")[0].lower()
    if stem in _SAYS_NOTHING:
        parent = found.absolute().parent.name.lower()
        return parent if parent[:1].isalpha() else "events"
    return stem
