"""The section ``learning.policy`` of eddyline.yaml: what a cycle makes, when, and of which examples."""

from __future__ import annotations

from dataclasses import dataclass

from yaml.nodes import ScalarNode

from eddyline_features.durations import milliseconds
from eddyline_features.yaml_reader import Section

CYCLES = ("refit+extend", "extend", "refit", "rebuild", "none")
DETECTORS = ("adwin", "page_hinkley", "none")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a cycle makes: a rebuild after drift, by growth or time; else a compaction; else what ``cycle`` says."""

    cycle: str = "refit+extend"
    """`extend` adds trees, `refit` gives leaves new values, `refit+extend` both; `rebuild` starts anew; `none`."""
    extend_after: int = 0
    """New slates that `refit+extend` needs to add trees; of fewer it only refits."""
    refit_rows: int = 500
    """A leaf that got so many new rows takes half of its value from them; more: less is learnt from the newest."""
    rebuild_every: int | None = None
    """Also rebuild each time that so many more slates are ripe; none: by growth and drift only."""
    rebuild_every_ms: int | None = None
    """The same by the events' clock."""
    compact_rows: int = 100_000
    """When the tail is full, a new base is made of the newest so many rows."""
    drift: str = "adwin"
    """Watches the loss of the model in service, slate by slate: `adwin`, `page_hinkley` or `none`."""
    drift_delta: float = 0.002
    """For `adwin`: the chance of a false alarm at a look. Smaller notices later, and more surely."""
    drift_threshold: float = 20.0
    """For `page_hinkley`: by so much the loss must have risen in all, summed over slates."""
    drift_rows: int = 8_000
    """After a drift it is rebuilt of what came since, and of so many rows at least."""


def read_policy(learning: Section) -> Policy:
    """Read the section ``policy`` within ``learning``."""
    section = learning.section("policy")
    default = Policy()
    if section is None:
        return default
    every, every_ms = read_every(section, "rebuild_every", (default.rebuild_every, default.rebuild_every_ms))
    policy = Policy(
        cycle=section.choice("cycle", CYCLES, default=default.cycle) or default.cycle,
        extend_after=section.integer("extend_after", default.extend_after, 0, 1_000_000_000),
        refit_rows=section.integer("refit_rows", default.refit_rows, 1, 1_000_000_000),
        rebuild_every=every,
        rebuild_every_ms=every_ms,
        compact_rows=section.integer("compact_rows", default.compact_rows, 100, 1_000_000_000),
        drift=section.choice("drift", DETECTORS, default=default.drift) or default.drift,
        drift_delta=section.number("drift_delta", default.drift_delta, 1e-9, 0.5),
        drift_threshold=section.number("drift_threshold", default.drift_threshold, 0.1, 1e6),
        drift_rows=section.integer("drift_rows", default.drift_rows, 100, 1_000_000_000),
    )
    section.close()
    return policy


def read_every(
    section: Section, key: str, default: tuple[int | None, int | None]
) -> tuple[int | None, int | None]:
    """A number of ripe slates or milliseconds: one of them."""
    node = section.take(key)
    if node is None:
        return default
    text = node.value.replace("_", "") if isinstance(node, ScalarNode) else ""
    if text.isascii() and text.isdigit():
        return section.integer(key, 1, 1, 100_000_000), None
    after = milliseconds(text)
    if after is None or after <= 0:
        section.problems.add(
            node, f"`{section.at(key)}`: ripe slates, such as 500, or a duration, such as 10m, is expected"
        )
    return None, after
