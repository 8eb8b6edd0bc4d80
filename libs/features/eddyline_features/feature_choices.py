"""The features of a proposed view, with a comment for each: what it is made from, or why something is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline_features.action_choices import ActionChoices, is_rating, rated
from eddyline_features.content_settings import TEXT_FIELDS
from eddyline_features.declarations.paths import CONTEXT, ITEM, SLATE, USER
from eddyline_features.durations import spell
from eddyline_features.field_choices import Choice, choose
from eddyline_features.field_profile import FieldProfile
from eddyline_features.profiling import Profile
from eddyline_features.scales import Scales
from eddyline_features.yaml_writer import Names, comment, flow, flow_list, shown, word

_MAX_PLAIN = 200
"""Columns of fields as they are."""
_MAX_COUNTED = 12
"""Fields whose values are counted: each costs time at every event."""
_MAX_ITEM_FIELDS = 16
_COMPARED = ("number", "boolean", "one-hot", "index")
"""Kinds of fields that filters can name, too."""
_MANY_OWNERS = 5
_OFTEN = 1_000
_LONG_TEXT = 40
"""Characters of a text, on average, from which it is more than a word."""
_SEVERAL_WORDS = 2.5
"""Of a text, on average, from which it may say more than what the item is called."""
_REPEATS = 0.05
_SPREAD = 0.05
_SCOPES = {
    ITEM: "What is known of an item.",
    SLATE: "What a slate says of each of its items.",
    USER: "What is known of a person.",
    CONTEXT: "What is known of the request.",
}


@dataclass
class FeatureLines:
    """The section ``features``, and what limits must know of it."""

    lines: list[str] = field(default_factory=list)
    n_features: int = 0
    n_values: int = 0
    """Distinct values that are counted."""
    uses_sessions: bool = False
    content: list[str] = field(default_factory=list)
    """The section ``content``, where an encoder reads texts."""
    online: list[str] = field(default_factory=list)
    """The section ``online``, where there is something to learn from."""
    item_fields: list[str] = field(default_factory=list)
    """Fields of items that can be compared, by the features or by filters; those that most items have, first."""
    cap_by: str | None = None
    """The field that most likely says whose an item is, as a brand or an author: one value each, shared by some."""

    def add(self, **members: str) -> None:
        """Append one feature."""
        self.n_features += 1
        self.lines.append("  - " + flow(members))

    def say(self, text: str) -> None:
        """Append a comment."""
        self.lines += comment(text, "  ")


def feature_lines(
    profile: Profile, actions: ActionChoices, scales: Scales, *, content: bool | None = None
) -> FeatureLines:
    """Choose the features; ``content``: see `propose`."""
    out, names = FeatureLines(), Names()
    choices = [
        choose(scope, name, seen, _entities(profile, scope))
        for (scope, name), seen in profile.fields.items()
        if name
    ]
    for scope, title in _SCOPES.items():
        _fields(out, names, title, [choice for choice in choices if choice.scope == scope])
    if profile.n_other_fields:
        out.say(f"left out: further fields ({profile.n_other_fields:,} values)")
    if profile.n_slates:
        out.say("Place in the slate: what the trainer sees there is not credited to the item.")
        out.add(name=names.new("position"), kind="position")
    _age(out, names, profile)
    _item_fields(out, profile, choices)
    counted = [c for c in choices if c.counted]
    # Those that most items have, first; equal ones in the order of appearance.
    kept = sorted(counted, key=lambda c: -c.share)[:_MAX_COUNTED]
    counted = [c for c in counted if c in kept]
    out.n_values = sum(profile.fields[c.scope, c.name].n_distinct for c in counted)
    _counts(out, names, profile, actions, scales, counted)
    if profile.n_slates and counted and actions.positive:
        _rates_of_values(out, names, counted, scales)
    if actions.positive:
        _tastes(out, names, profile, counted, scales)
        _learnt(out, names, profile, scales, by_value=by_value(profile, actions))
        if content or (content is None and _are_worth_reading(out, profile, counted)):
            _texts(out, names, profile, scales)
    if not out.n_features:
        out.say("Nothing in these events asks for a feature; one there must be.")
        out.add(name=names.new("item_actions"), kind="count", by="item", half_lives=spell(scales.best_ms))
    return out


def _item_fields(out: FeatureLines, profile: Profile, choices: list[Choice]) -> None:
    kept = [c for c in choices if c.scope == ITEM and (c.counted or c.kind in _COMPARED)]
    kept = sorted(kept, key=lambda c: -c.share)[:_MAX_ITEM_FIELDS]
    out.item_fields = [c.name for c in kept]
    seen = {c.name: profile.fields[ITEM, c.name] for c in kept if c.counted and c.share > 0.5}
    single = [name for name, of in seen.items() if of.n_lists == 0 and of.n_distinct >= _MANY_OWNERS]
    out.cap_by = max(single, key=lambda name: seen[name].n_distinct, default=None)


def _entities(profile: Profile, scope: str) -> int:
    n_events = {SLATE: profile.n_impressions, CONTEXT: profile.n_slates}.get(scope)
    if n_events is not None:
        return n_events
    seen = [f.n for (of, _), f in profile.fields.items() if of == scope]
    # Of those that were described at all: items that only ever occur in slates have no fields.
    return max(seen, default=0)


def _fields(out: FeatureLines, names: Names, title: str, choices: list[Choice]) -> None:
    if not choices:
        return
    out.say(title)
    n = 0
    for choice in choices:
        if choice.kind and n < _MAX_PLAIN:
            n += max(1, len(choice.values))
            _plain(out, names, choice)
        elif choice.is_left_out:
            out.say(f"left out: {shown(choice.name)} ({choice.why})")
        elif choice.kind:
            out.say(f"left out: {shown(choice.name)} (more than {_MAX_PLAIN} columns of fields)")


def _plain(out: FeatureLines, names: Names, choice: Choice) -> None:
    path = word(f"{choice.scope}.{choice.name}")
    wanted = choice.name if choice.scope == ITEM else f"{choice.scope}_{choice.name}"
    out.say(f"{shown(choice.name)}: {choice.why}")
    if choice.kind == "one-hot":
        values = "[" + ", ".join(word(value) for value in choice.values) + "]"
        out.add(name=names.new(wanted), kind="categories", field=path, encode="one-hot", values=values)
    elif choice.kind == "index":
        out.add(name=names.new(wanted), kind="categories", field=path)
    elif choice.kind == "item_age":
        out.add(name=names.new(f"{wanted}_age"), kind="item_age", field=path)
    else:
        out.add(name=names.new(wanted), kind=choice.kind, field=path)


def _age(out: FeatureLines, names: Names, profile: Profile) -> None:
    first = sorted(profile.items.first_at.values())
    spread = first[int(0.95 * (len(first) - 1))] - first[int(0.05 * len(first))] if first else 0
    if profile.span_ms and spread > _SPREAD * profile.span_ms:
        out.say(
            f"Age: items appear all the time ({spread / profile.span_ms:.0%} of the whole span lies between the first "
            "5 % and the last 5 % of them)."
        )
        out.add(name=names.new("item_age"), kind="item_age")
    else:
        out.say("left out: the items' age (nearly all appeared at once)")


def _counts(
    out: FeatureLines,
    names: Names,
    profile: Profile,
    actions: ActionChoices,
    scales: Scales,
    counted: list[Choice],
) -> None:
    half_lives = flow_list([spell(h) for h in scales.half_lives])
    longest = spell(scales.half_lives[-1])
    if not actions.positive:
        if profile.n_slates:
            out.add(
                name=names.new("item_shown"), kind="count", by="item", of="impression", half_lives=longest
            )
        return
    if profile.n_slates:
        out.say("What people do with an item, lately and for longer.")
        rate = names.new("item_rate")
        out.add(name=rate, kind="rate", by="item", half_lives=half_lives)
        out.add(name=names.new("item_shown"), kind="count", by="item", of="impression", half_lives=longest)
        _beside(out, names, f"{rate}_{longest}")
    else:
        out.say(
            "What people do with an item, lately and for longer. Counts: without slates there are no rates."
        )
        out.add(name=names.new("item_actions"), kind="count", by="item", half_lives=half_lives)
    kind, of = ("rate", "actions") if profile.n_slates else ("count", "of")
    for action in actions.kept[1:]:
        seen = profile.actions[action.name]
        if action.weight and seen.n >= _OFTEN:
            members = {"name": names.new(f"item_{action.name}"), "kind": kind, "by": "item"}
            out.add(**members, **{of: word(action.name)}, half_lives=longest)
    if is_rating(profile):
        _ratings(out, names, profile, actions, counted)


def by_value(profile: Profile, actions: ActionChoices) -> bool:
    """Whether values are what is learnt: opinions on one scale, and no slates in which there is an order to learn."""
    scales = {action.values for action in actions.kept if action.values}
    return is_rating(profile) and not profile.n_slates and len(scales) == 1


def _ratings(
    out: FeatureLines, names: Names, profile: Profile, actions: ActionChoices, counted: list[Choice]
) -> None:
    """Means of values: all else tells only that somebody has rated, not how."""
    out.say(
        "How highly an item is rated, and how highly a person rates: the mean of the values, drawn to everybody's."
    )
    fields = [choice for choice in counted if choice.scope == ITEM]
    for action in rated(profile, actions):
        # People's moods change: how they rated a minute ago says more than how they rate in all.
        means = [("item", "item", "forever"), ("user", "user", "[1m, 1h, forever]")]
        means += [(choice.name, word(f"item.{choice.name}"), "forever") for choice in fields]
        for whose, by, half_lives in means:
            out.add(
                name=names.new(f"{whose}_{action}_mean"), kind="rate", by=by, actions=word(action), per=word(action),
                value="true", half_lives=half_lives, strength="5",
            )  # fmt: skip
        for by in ("item", "user"):
            out.add(
                name=names.new(f"{by}_{action}s"), kind="count", by=by, of=word(action), half_lives="forever"
            )


def _beside(out: FeatureLines, names: Names, column: str) -> None:
    out.say(
        "The rate beside those of the other candidates: an item is chosen among what it stands with. Worth 0.002 of "
        "NDCG on RankLens."
    )
    out.add(
        name=names.new("beside"), kind="relative", field=word(f"column.{column}"), outputs="slate_z"
    )  # fmt: skip


def _learnt(out: FeatureLines, names: Names, profile: Profile, scales: Scales, *, by_value: bool) -> None:
    """The online model and co-interaction: what people who did the same do."""
    learns = "which value people give" if by_value else "what people act on"
    out.online = [
        *comment(
            f"A factorisation that learns {learns}, from every event. It orders the items until there is a booster, "
            "and is a feature for it after."
        ),
        "online: {rule: sgd, target: value}" if by_value else "online: {rule: sgd}",
        "",
    ]
    out.say("What the online model says of this person and item, and how alike their vectors are.")
    out.add(name=names.new("online"), kind="online_score", outputs="[score, taste]")
    out.add(name=names.new("alike"), kind="online_similarity", outputs="user")
    out.say("What people act on who acted on the same things.")
    out.add(
        name=names.new("together"),
        kind="co_interaction",
        half_life=spell(scales.taste_ms),
        within=spell(min(max(scales.taste_ms, 3_600_000), 7 * 86_400_000)),
        last="20",
        outputs="[sum, lift]",
    )
    if not profile.n_slates and scales.lately_ms < scales.taste_ms:
        out.say("The same, of what happens just now.")
        out.add(
            name=names.new("together_lately"),
            kind="co_interaction",
            half_life=spell(scales.lately_ms),
            within=spell(max(scales.lately_ms // 2, 60_000)),
            last="10",
            outputs="[sum, lift]",
        )


def _are_worth_reading(out: FeatureLines, profile: Profile, counted: list[Choice]) -> bool:
    """Whether most items have texts, and nothing else says what they have in common; says so where something does."""
    items = _entities(profile, ITEM)
    texts = [
        name
        for (scope, name), seen in profile.fields.items()
        if scope == ITEM and says(seen) and seen.mean_words >= _SEVERAL_WORDS and seen.n > items / 2
    ]
    if not texts or not counted:
        return bool(texts)
    out.say(
        f"left out: what texts say ({_some(texts)}). It added nothing where {_some([c.name for c in counted])} and the "
        "like tell what items have in common, as far as it was measured (docs/content.md); `eddyline evaluate EVENTS "
        "--encoder tfidf` tells whether it does here."
    )
    return False


def _some(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:3]) + (", …" if len(names) > 3 else "")


def _texts(out: FeatureLines, names: Names, profile: Profile, scales: Scales) -> None:
    """What people like by what its text says: the only taste that knows an item before anybody has acted on it."""
    found = {name: seen for (scope, name), seen in profile.fields.items() if scope == ITEM and says(seen)}
    known = [name for name in TEXT_FIELDS if name in found]
    others = [name for name, seen in found.items() if name not in known and seen.mean_chars >= _LONG_TEXT]
    if not known and not others:
        out.say("left out: what texts say (items have none)")
        return
    out.content = [
        *comment("What an encoder reads of an item, the short fields first; see docs/content.md."),
        f"content: {{fields: {flow_list([word(name) for name in [*known, *others]])}}}",
        "",
    ]
    out.say(
        "How like the item's text is to those of what this person acted on: it says something of new items too."
    )
    out.add(
        name=names.new("text"),
        kind="content_similarity",
        half_life=spell(scales.taste_ms),
        outputs="[mean, last, best]",
    )


def says(seen: FieldProfile) -> bool:
    """Whether a field holds words, most of the time."""
    n_words = seen.n_texts + (seen.n_lists if not seen.n_fractions else 0)
    return n_words > seen.n / 2 and seen.n_moments < seen.n / 2


def _rates_of_values(out: FeatureLines, names: Names, counted: list[Choice], scales: Scales) -> None:
    out.say("The same for what items have in common: it says something of new items too.")
    for choice in counted:
        out.say(f"{shown(choice.name)}: {choice.why}")
        out.add(
            name=names.new(f"{choice.name}_rate"),
            kind="rate",
            by=word(f"item.{choice.name}"),
            half_lives=spell(scales.best_ms),
            strength="20",
        )


def _tastes(out: FeatureLines, names: Names, profile: Profile, counted: list[Choice], scales: Scales) -> None:
    lift = profile.n_slates > 0
    outputs = "lift" if lift else "[acted, share]"
    again = profile.n_repeats > _REPEATS * profile.n_interactions
    people = _people(profile)
    out.uses_sessions = "session" in people
    if not counted and not again:
        out.say(
            "left out: what people like (items have no fields in common, and hardly anyone comes back to one)"
        )
        return
    out.say(
        "What this person likes, beyond what everybody likes."
        if lift
        else "What this person likes. Slates will tell what is passed by as well: then, `outputs: lift` is better."
    )
    if not out.uses_sessions:
        out.say(_why_users_only(profile))
    for by in people:
        whose = "my" if by == "user" else "session"
        half_life = spell(scales.taste_ms if by == "user" else min(scales.taste_ms, 3_600_000))
        for choice in counted:
            out.add(
                name=names.new(f"{whose}_{choice.name}"),
                kind="affinity",
                by=by,
                field=word(f"item.{choice.name}"),
                half_lives=half_life,
                strength="3",
                outputs=outputs,
            )
        if again:
            if by == "user":
                share = profile.n_repeats / profile.n_interactions
                out.say(f"People come back to items: {share:.0%} of what they do is a repeat.")
            out.add(
                name=names.new(f"{whose}_again"), kind="affinity", by=by, field="item", half_lives=half_life,
                outputs="acted",
            )  # fmt: skip


def _people(profile: Profile) -> list[str]:
    """Whose taste: a person's always (a missing user is the session), a session's where it is something of its own."""
    acts = profile.n_slates or profile.n_interactions
    many = profile.sessions.n_distinct > 1.2 * profile.users.n_distinct
    apart = profile.n_told_apart > 0.5 * (profile.n_slates + profile.n_interactions)
    long = acts >= 1.5 * max(1, profile.sessions.n_distinct)
    return ["user", "session"] if many and apart and long else ["user"]


def _why_users_only(profile: Profile) -> str:
    what, n = ("slates", profile.n_slates) if profile.n_slates else ("interactions", profile.n_interactions)
    each = n / max(1, profile.users.n_distinct)
    text = f"By user: {each:.1f} {what} each"
    if not profile.sessions.n_distinct:
        return text + "; sessions are not named."
    if not profile.n_told_apart:
        return text + "; sessions are the same as users."
    return text + f"; sessions ({profile.sessions.n_distinct:,}) are too short or too few to add anything."
