"""Models of the past never replace newer ones; a new view takes over at the end."""

from __future__ import annotations

from eddyline_contracts.bundle import Bundle
from eddyline_learning.gate import Serving, decide


def a_bundle(last_sequence: int, *, view: str = "v", model: str = "m") -> Bundle:
    """A model trained up to this slate."""
    return Bundle(
        model=model,
        view=view,
        features=[],
        objective="rank",
        onnx=b"",
        prior_items=[],
        prior_scores=b"",
        prior_default=0.0,
        first_sequence=1,
        last_sequence=last_sequence,
        n_slates=1,
        n_examples=1,
    )


def test_the_first_model_and_every_newer_one_are_served() -> None:
    assert decide(a_bundle(10), None, caught_up=False).promote
    assert decide(a_bundle(10), Serving("old", "v", 9), caught_up=False).promote
    assert decide(a_bundle(10), Serving("old", "v", 10), caught_up=True).promote


def test_a_model_of_the_past_is_not() -> None:
    for caught_up in (False, True):
        assert not decide(a_bundle(10), Serving("old", "v", 11), caught_up=caught_up).promote
    assert not decide(a_bundle(10), Serving("m", "v", 10), caught_up=True).promote


def test_a_new_view_takes_over_once_the_log_has_been_read() -> None:
    assert not decide(a_bundle(10, view="new"), Serving("old", "v", 11), caught_up=False).promote
    assert decide(a_bundle(10, view="new"), Serving("old", "v", 11), caught_up=True).promote
