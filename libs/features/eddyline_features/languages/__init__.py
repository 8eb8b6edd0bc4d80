"""Sentences of the languages that come along: a file each, in the form of ``explanations.sentences.<language>``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from eddyline_features.explanation_settings import SHIPPED, Sentences, read_language


@cache
def shipped() -> dict[str, Sentences]:
    """By language."""
    folder = files(__name__)
    return {name: read_language((folder / f"{name}.yaml").read_text("utf-8")) for name in SHIPPED}
