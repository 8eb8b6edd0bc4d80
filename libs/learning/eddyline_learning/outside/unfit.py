"""Why a model from outside cannot be taken."""

from __future__ import annotations


class UnfitModel(ValueError):
    """The model cannot be compared or served as it is; the text says why, and what to do."""
