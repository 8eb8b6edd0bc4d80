"""Features in named groups, and views that hold some of the groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from eddyline_features.view import View, load_view

Feature = Mapping[str, Any]
"""An entry of the section ``features``."""


@dataclass(frozen=True)
class Grouped:
    """A view whose features stand in groups."""

    settings: Mapping[str, Any]
    """All of eddyline.yaml but ``features``."""
    groups: Mapping[str, Sequence[Feature]]
    """By the name that tables show."""
    without_cycles: bool = True
    """One booster, made at the end of the warm-up, orders everything after it: what the gate happens to promote is no
    matter of features."""

    def view(self, names: Collection[str], seed: int) -> View:
        """Those groups only, in the order in which they are declared.

        A feature that is computed from a column of another one is left out where that column is.

        Raises
        ------
        ViewError
            If a feature is not well declared.
        KeyError
            If there is no such group.
        """
        unknown = set(names) - set(self.groups)
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        features = [f for name, group in self.groups.items() if name in names for f in group]
        sources = {f["name"] for f in features}
        features = [f for f in features if _source(f, self) is None or _source(f, self) in sources]
        settings = dict(self.settings)
        if not any(f["kind"].startswith("online_") for f in features):
            settings.pop("online", None)
        # JSON is YAML.
        view = load_view(msgspec.json.encode({**settings, "features": features}).decode())
        learning = dataclasses.replace(view.learning, seed=seed)
        if self.without_cycles:
            learning = dataclasses.replace(learning, learn_every=10**9, learn_every_ms=None)
        return dataclasses.replace(view, learning=learning)


def read(path: Path, *, without_cycles: bool = True) -> Grouped:
    """A file like eddyline.yaml, which has ``groups``, lists of features by name, for ``features``."""
    settings = yaml.safe_load(path.read_text())
    return Grouped(settings, settings.pop("groups"), without_cycles)


def _source(feature: Feature, grouped: Grouped) -> str | None:
    """The feature whose column this one reads; None where it reads none."""
    path = str(feature.get("field", ""))
    if not path.startswith("column."):
        return None
    column = path.removeprefix("column.")
    names: list[str] = [f["name"] for group in grouped.groups.values() for f in group]
    # A column is called after its feature; the longest name that fits is the one.
    return max((n for n in names if column == n or column.startswith(f"{n}_")), key=len)
