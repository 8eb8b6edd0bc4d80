"""A profile to the text of an eddyline.yaml, in which every choice is explained by the figures it was made from."""

from __future__ import annotations

from eddyline_features.action_choices import ActionChoices, choose_actions, is_rating
from eddyline_features.durations import spell
from eddyline_features.feature_choices import FeatureLines, feature_lines
from eddyline_features.profiling import Profile
from eddyline_features.sampling import DistinctSample
from eddyline_features.scales import Scales, rounded_up
from eddyline_features.yaml_writer import Names, comment, flow, flow_list, shown, word, wrapped

_SMALL, _MIDDLE, _LARGE = 20_000, 500_000, 5_000_000
"""Impressions from which a booster gets more trees, and larger ones: below, it would learn the examples by heart."""


def propose(profile: Profile, *, name: str = "autoconfig", content: bool | None = None) -> str:
    """The text of an eddyline.yaml that fits the events of the profile; `load_view` takes it.

    Parameters
    ----------
    name
        Of the view; characters that cannot stand in a name are replaced.
    content
        Whether an encoder will read the items' texts; None where that is open: then it is proposed where nothing but
        texts says what items have in common.
    """
    actions = choose_actions(profile)
    scales = Scales.of(profile)
    features = feature_lines(profile, actions, scales, content=content)
    lines = [
        *comment(_summary(profile)),
        "# Proposed by `eddyline autoconfig`: a good start, made to be changed.",
        f"view: {word(Names().new(name))}",
        "",
        *_actions(profile, actions),
        "",
        *comment(scales.window_why),
        f"label_window: {spell(scales.window_ms)}",
        "",
        *comment(scales.best_why),
        f"prior: {flow({'half_life': spell(scales.best_ms), 'strength': '10'})}",
        "",
        *_limits(profile, features),
        "",
        *features.online,
        *features.content,
        "features:",
        *features.lines,
        "",
        *_recommend(features, scales),
        "",
        *_learning(profile),
        "",
        *_exploration(),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _summary(profile: Profile) -> str:
    parts = [f"{profile.n_events:,} events"]
    if profile.n_slates:
        parts.append(f"{profile.n_slates:,} slates of {profile.n_impressions / profile.n_slates:.1f} items")
    parts += [
        f"{profile.n_interactions:,} interactions",
        f"{_about(profile.items)} items",
        f"{_about(profile.users)} users",
        f"within {scale_words(profile.span_ms)}",
    ]
    return ", ".join(parts) + "."


def _about(sample: DistinctSample) -> str:
    return f"{'' if sample.is_exact else 'about '}{sample.n_distinct:,}"


def scale_words(span_ms: int) -> str:
    """A time span in its largest unit, for people."""
    for size, unit in ((86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes")):
        if span_ms >= 2 * size:
            return f"{span_ms / size:,.0f} {unit}"
    return f"{span_ms / 1_000:,.0f} seconds"


def _actions(profile: Profile, actions: ActionChoices) -> list[str]:
    if not actions.kept:
        return [
            "# No interactions were seen: name what people do.",
            "actions:",
            "  click: 1",
        ]
    lines = ["# Weight in features, and worth as a label."]
    if is_rating(profile):
        lines += comment(
            "Counts tell how often an item was rated, means and the online model how highly; the value of a rating is "
            "what the booster learns to say."
        )
    lines.append("actions:")
    for action in actions.kept:
        worth = str(action.weight)
        if action.values is not None:
            worth = flow({"weight": worth, "values": flow_list([f"{end:g}" for end in action.values])})
        lines += [f"  {word(action.name)}: {worth}", *comment(action.why, "    ")]
    for name, why in actions.left_out[:20]:
        lines += comment(f"left out: {shown(name)} ({why})", "  ")
    if len(actions.left_out) > 20 or profile.n_other_actions:
        lines += comment(f"left out: further rare actions ({len(actions.left_out) - 20:,} or more)", "  ")
    return lines


def _limits(profile: Profile, features: FeatureLines) -> list[str]:
    items = rounded_up(max(10_000, 2 * profile.items.n_distinct))
    users = rounded_up(max(10_000, 2 * profile.users.n_distinct))
    sessions = rounded_up(max(10_000, 2 * profile.sessions.n_distinct))
    values = rounded_up(max(10_000, 2 * features.n_values))
    acted, shown_items = _rings(profile)
    lines = comment("Twice what was seen, at least ten thousand: room to grow before anyone is forgotten.")
    lines += ["limits:", f"  items: {min(items, 16_000_000):_}", f"  users: {min(users, 100_000_000):_}"]
    if features.uses_sessions:
        lines.append(f"  sessions: {min(sessions, 100_000_000):_}")
    lines += [f"  values: {min(values, 100_000_000):_}"]
    lines += comment(
        f"What is remembered of a person: 19 of 20 act at most {profile.acts_of_user.quantile(0.95):,} times"
        + (
            f", 9 of 10 see at most {profile.slates_of_user.quantile(0.9):,} slates."
            if profile.n_slates
            else "; slates to come need room too."
        ),
        "  ",
    )
    return [*lines, f"  acted: {acted}", f"  shown: {shown_items}"]


def _rings(profile: Profile) -> tuple[int, int]:
    """Room for interactions and impressions of a person; 16 bytes each for everybody, so within reason."""
    acted = _whole_16(max(32, min(128, profile.acts_of_user.quantile(0.95))))
    if not profile.n_slates:
        return acted, 64
    size = profile.n_impressions / profile.n_slates
    # Four slates are enough to know somebody's taste on RankLens; more room pays only where slates are small.
    seen = min(4, profile.slates_of_user.quantile(0.9)) * size
    return acted, _whole_16(max(64, min(256, round(seen))))


def _whole_16(n: int) -> int:
    return -(-n // 16) * 16


def _recommend(features: FeatureLines, scales: Scales) -> list[str]:
    half_lives = flow_list([spell(half_life) for half_life in scales.half_lives])
    lines = [
        *comment(
            "What /v1/recommend chooses from the whole catalogue, and /v1/similar and /v1/trending: "
            "docs/recommend.md. What a person acted on is not shown to them again; `seen: nothing` where people want "
            "the same things again."
        ),
        "recommend:",
        f"  half_lives: {half_lives}",
        "  seen: acted",
    ]
    if features.item_fields:
        lines += comment("What filters, caps and diversity may name.", "  ")
        lines += wrapped("fields", [word(name) for name in features.item_fields], "  ")
    if features.cap_by is not None:
        cap = flow({word(features.cap_by): "2"})
        lines += comment(f"caps: {cap}: at most two of a slate with the same", "  ")
    lines += comment("diversity: 0.2: from 0, by score alone, to 1, as unlike each other as can be", "  ")
    return lines


def _learning(profile: Profile) -> list[str]:
    rows, positive = profile.n_impressions, profile.clicked.n_distinct
    objective, why = _objective(profile)
    if objective == "rating":
        return _learning_values(profile, why)
    leaf = max(5, min(200, round(rows / 1_500))) if rows else 20
    # Many small trees: on RankLens 200 of 7 leaves did better than 100 of 15, on two different pieces of it.
    leaves = 7 if rows < _MIDDLE else 15 if rows < _LARGE else 31
    trees = 100 if rows < _SMALL else 200 if rows < _LARGE else 300
    first = max(50, min(1_000, round(positive / 7))) if positive else 200
    size = f"{rows:,} impressions in {positive:,} slates with an interaction" if rows else "no slates yet"
    return [
        *comment(why),
        *comment(
            f"Sizes go by the data: {size}. The first booster waits for {first:,} slates that have an interaction; "
            "fewer teach less than the items' own rates."
        ),
        "learning:",
        f"  objective: {objective}",
        f"  trees: {trees}",
        f"  leaves: {leaves}",
        "  learning_rate: 0.05",
        f"  min_data_in_leaf: {leaf}",
        "  feature_fraction: 0.7",
        f"  min_slates: {first:_}",
        "  growth: 1.5",
    ]


def _learning_values(profile: Profile, why: str) -> list[str]:
    """Without slates each rating is an example by itself."""
    rows = profile.n_interactions
    leaf = max(5, min(200, round(rows / 1_500)))
    first = max(100, min(1_000, round(rows / 20)))
    every = max(250, min(10_000, round(rows / 50)))
    return [
        *comment(why),
        *comment(
            f"Sizes go by the data: {rows:,} ratings, each an example by itself. The first booster waits for {first:,} "
            f"of them, and a cycle comes each {every:,}; until then the online model says the values."
        ),
        "learning:",
        "  objective: rating",
        f"  trees: {100 if rows < _SMALL else 200}",
        f"  leaves: {7 if rows < _SMALL else 15}",
        "  learning_rate: 0.05",
        f"  min_data_in_leaf: {leaf}",
        "  feature_fraction: 0.7",
        f"  min_slates: {first:_}",
        "  growth: 1.5",
        f"  learn_every: {every:_}",
    ]


def _exploration() -> list[str]:
    return [
        *comment(
            "For one person in twenty chance orders the first ten places. What they do says without bias which model "
            "is better; by clicks on a model's own order alone a better one is hardly ever seen to be (docs/gate.md). "
            "Costs 0.006 of NDCG; a share of 0 switches it off."
        ),
        "exploration: {share: 0.05, places: 10}",
    ]


def _objective(profile: Profile) -> tuple[str, str]:
    if is_rating(profile) and not profile.n_slates:
        values = [seen for seen in profile.actions.values() if seen.values.n_distinct >= 3]
        least, most = min(seen.least for seen in values), max(seen.most for seen in values)
        return (
            "rating",
            (
                f"Interactions carry values from {least:g} to {most:g}, and there are no slates: the value is learnt."
            ),
        )
    if not profile.n_slates:
        return "rank", (
            "There are no slates: what was shown is not known. A booster learns from slates, so it starts with those "
            "that will be served; until then items are ordered by `prior`."
        )
    if profile.n_impressions < 1.5 * profile.n_slates:
        return (
            "click",
            "Slates of hardly more than one item: nothing to order within them, so clicks are predicted.",
        )
    share = profile.clicked.n_distinct / profile.n_slates
    return "rank", f"{share:.0%} of the slates have an interaction: the order within a slate is learnt."
