"""Agreement: ranker, feature-store and trainer on the view; ranker, bus and registry on the model."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Seen
from eddyline_cli.supervisor.ports import FORMER_STORE

_LETTERS = 12


def views(seen: Seen) -> dict[str, str]:
    """The view that each was started with; of a ranker that one of its two which the others have, too.

    A ranker serves whatever view the champion is of. What it was started with counts only while there is no model.
    """
    found: dict[str, str] = {}
    for name in ("feature-store", "trainer"):
        service = seen.service(name)
        if service is not None and "view" in service.details:
            found[name] = str(service.details["view"])
    for name, ranker in seen.rankers.items():
        served, declared = ranker.details.get("view"), ranker.details.get("declared_view")
        told = served if served in found.values() else declared or served
        if told is not None:
            found[name] = str(told)
    return found


def former_view(seen: Seen) -> str | None:
    """The view before, while its feature-store is kept for its model."""
    store = seen.service(FORMER_STORE)
    return None if store is None else _text(store.details.get("view"))


def models(seen: Seen) -> dict[str, str | None]:
    """The champion as each knows it; who could not be asked is left out."""
    found: dict[str, str | None] = {}
    trainer = seen.service("trainer")
    if trainer is not None:
        found["trainer"] = _text(trainer.details.get("champion"))
        if seen.database is not None and seen.database.cursor is not None:
            found["registry"] = seen.database.champions.get(str(trainer.details.get("view")))
    if seen.bus is not None and seen.bus.fault is None and seen.bus.jetstream:
        found["bus"] = _text((seen.bus.champion or {}).get("model"))
    for name, ranker in seen.rankers.items():
        found[name] = _text(ranker.details.get("model"))
    return found


def needs_a_second_look(seen: Seen) -> bool:
    """A promotion takes a moment to reach everybody."""
    return len(set(models(seen).values())) > 1


def check_agreement(place: Place, seen: Seen, declared: str | None) -> Iterator[Finding]:
    """``declared`` is the view of the configuration file, if it could be read."""
    yield from _views(place, seen, declared)
    yield from _models(seen)


def _views(place: Place, seen: Seen, declared: str | None) -> Iterator[Finding]:
    found = views(seen)
    if not found:
        return
    former = former_view(seen)
    if former is not None and set(found.values()) <= {former, found.get("trainer")}:
        yield warn(
            "agreement",
            "view",
            f"the view changes from {former} to {found.get('trainer')}: models of the old one serve, with its features",
            "wait: it ends by itself when the new view has a model; `eddyline models` shows how far that is",
            views=found,
            former=former,
        )
    elif len(set(found.values())) > 1:
        listed = ", ".join(f"{name}: {view}" for name, view in found.items())
        yield fail(
            "agreement",
            "view",
            f"they were started with different views ({listed})",
            "give all of them the same eddyline.yaml (EDDYLINE_CONFIG) and restart those that differ; until then "
            "rankers and store do not understand each other and orders are by priors",
            views=found,
        )
    else:
        yield ok("agreement", "view", f"all have {next(iter(found.values()))}", views=found)
    if declared is not None and declared not in found.values():
        yield warn(
            "agreement",
            "config",
            f"{place.config} declares {declared}; what runs has {', '.join(sorted(set(found.values())))}",
            "`eddyline reload` takes it up while all runs; nothing is lost, features are folded anew",
            declared=declared,
        )


def _models(seen: Seen) -> Iterator[Finding]:
    found = models(seen)
    if not found:
        return
    shown = {name: model and model[:_LETTERS] for name, model in found.items()}
    listed = ", ".join(f"{name}: {model or 'none'}" for name, model in shown.items())
    known = set(found.values())
    if len(known) == 1:
        (model,) = known
        told = (
            f"all have {model[:_LETTERS]}"
            if model
            else "no model yet; the first is made of the first ripe slates"
        )
        yield ok("agreement", "model", told, models=found)
    elif _of_another_view(seen):
        yield warn(
            "agreement",
            "model",
            f"the champion is of the view before ({listed})",
            "wait for the first model of the new view: until then "
            + (
                "orders are by how often items were chosen"
                if former_view(seen) is None
                else "models of the old one serve, with its features"
            ),
            models=found,
        )
    else:
        yield fail(
            "agreement", "model", f"they serve different models ({listed})", _remedy(seen), models=found
        )
    if seen.bus is not None and seen.bus.champion is not None and not seen.bus.bundle_there:
        yield fail(
            "agreement",
            "bundle",
            f"the bus has no bundle of its champion {str(seen.bus.champion.get('model'))[:_LETTERS]}",
            "a running trainer puts it back within seconds: see that it is alive; else `eddyline models rollback`",
        )


def _of_another_view(seen: Seen) -> bool:
    trainer = seen.service("trainer")
    champion = seen.bus.champion if seen.bus else None
    if trainer is None or champion is None or trainer.details.get("champion") is not None:
        return False
    return champion.get("view") != trainer.details.get("view")


def _remedy(seen: Seen) -> str:
    found = models(seen)
    champion = found.get("bus", found.get("trainer"))
    odd = [name for name in seen.rankers if found.get(name) != champion]
    if odd:
        return (
            f"{', '.join(odd)} could not take the champion: its log says why (columns, a damaged bundle, no bus); "
            "restarting it fetches the bundle anew"
        )
    return "the trainer tells the bus every 2 s: see that trainer and bus answer, and restart the trainer if they do"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
