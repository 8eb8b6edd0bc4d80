"""Reading Metarank's YAML: every scalar stays the text that it was; what is oddly typed is as good as absent."""

from __future__ import annotations

import math
from typing import Any

import yaml

from eddyline_features.durations import milliseconds


class NotMetarank(ValueError):
    """The file is no configuration of Metarank; the text says why."""


def read_config(text: str) -> dict[str, Any]:
    """The configuration, undecided.

    Raises
    ------
    NotMetarank
        If it is no YAML, or has neither features nor models.
    """
    try:
        # YAML's own ideas of what is a date or a truth are not wanted: `values: [no, se]` are countries.
        told = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise NotMetarank(f"not YAML: {' '.join(str(error).split()) or 'nested too deeply'}") from error
    if not isinstance(told, dict) or not ({"features", "models"} & told.keys()):
        raise NotMetarank("neither `features` nor `models` are in it: is it Metarank's config.yml?")
    return told


def word(told: Any, *keys: str, default: str = "") -> str:
    """The first of these members that is a scalar."""
    for key in keys:
        value = told.get(key) if isinstance(told, dict) else None
        if isinstance(value, str) and value:
            # As in the snippets of its documentation, which are pasted with their remarks.
            return value.partition(" //")[0].strip()
    return default


def words(told: Any, *keys: str) -> list[str]:
    """The first of these members as a list of scalars, each once; a scalar is a list of one."""
    for key in keys:
        value = told.get(key) if isinstance(told, dict) else None
        if isinstance(value, list):
            return list(dict.fromkeys(v for v in value if isinstance(v, str) and v))
        if isinstance(value, str) and value:
            return [word(told, key)]
    return []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def number(text: str) -> float | None:
    """A finite number, or none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def duration(text: str) -> int | None:
    """ms of a duration above zero, as ``30m`` or ``24h``; none otherwise."""
    value = milliseconds(text)
    return value if value and value > 0 else None
