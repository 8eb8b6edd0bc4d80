"""The section ``exploration`` of eddyline.yaml: for whom chance has a say in the order, and how.

None of it shapes state, vectors or models, so it may change at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_features.yaml_reader import Section

GREEDY, EPSILON, THOMPSON, PLACKETT_LUCE = "greedy", "epsilon", "thompson", "plackett-luce"
POLICIES = (GREEDY, EPSILON, THOMPSON, PLACKETT_LUCE)


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """Where chance has a say: for a share of people it orders the first places, for all others as ``policy`` says."""

    share: float = 0.0
    """Of the people, chosen by a hash of the user (without one, the session). 0: none; figures are of 0.05."""
    places: int = 10
    """The first so many places are drawn, every order of what the model put there being equally likely. Of a list that
    is shown as a whole, as by ``/v1/rank``, the policy draws as many."""
    salt: str = ""
    """Goes into the hash: another word chooses other people."""
    policy: str = GREEDY
    """For all others: by the scores alone (``greedy``); each place with the chance ``epsilon`` by any item instead;
    by scores that vary as much as is unknown of an item's rate (``thompson``); or any order, the likelier the higher
    its scores (``plackett-luce``)."""
    epsilon: float = 0.05
    """Of ``epsilon``: the chance that a place is given to an item whose score does not matter."""
    temperature: float = 0.2
    """Of ``plackett-luce``: an item is e times as likely to come next as one whose score is lower by so many standard
    deviations of the candidates' scores. Near 0 it is the order by score."""
    scale: float = 0.5
    """Of ``thompson``: the score of an item that was never shown varies by so many standard deviations of the
    candidates' scores; that of others by less, as their rate is known better."""

    @property
    def needs_deviations(self) -> bool:
        """Whether the feature-store is to be asked how uncertain each candidate's rate is."""
        return self.policy == THOMPSON


def read_exploration(root: Section) -> Exploration:
    """Read the section; what it does not name has its default."""
    section = root.section("exploration")
    default = Exploration()
    if section is None:
        return default
    exploration = Exploration(
        share=section.number("share", default.share, 0.0, 1.0),
        places=section.integer("places", default.places, 2, 1_000),
        salt=_read_salt(section),
        policy=section.choice("policy", POLICIES, default=default.policy) or default.policy,
        epsilon=section.number("epsilon", default.epsilon, 0.0, 1.0),
        temperature=section.number("temperature", default.temperature, 0.001, 1_000.0),
        scale=section.number("scale", default.scale, 0.0, 1_000.0),
    )
    section.close()
    return exploration


def _read_salt(section: Section) -> str:
    return (section.word("salt", default="", example="autumn") if section.has("salt") else "") or ""


NO_EXPLORATION = Exploration()
