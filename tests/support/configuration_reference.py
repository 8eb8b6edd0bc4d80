"""docs/configuration.md, made from the types that are read: settings of the services, and the forms of eddyline.yaml.

Run ``make docs`` after a change there; a test compares the file with what this makes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eddyline_encoder.settings import EncoderSettings
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_features.content_settings import TEXT_FIELDS
from eddyline_features.declarations.online import Online
from eddyline_features.declarations.registry import READERS
from eddyline_features.durations import spell
from eddyline_features.explanation_settings import CALLED
from eddyline_features.view import (
    Action,
    Breaker,
    Content,
    Explanations,
    Exploration,
    Gate,
    Learning,
    Limits,
    Policy,
    Prior,
    Recommend,
)
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.settings import IngestSettings
from eddyline_ranker.settings import RankerSettings
from eddyline_runtime.settings import ServiceSettings
from eddyline_trainer.settings import TrainerSettings

PATH = Path(__file__).parents[2] / "docs" / "configuration.md"
SERVICES: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "log writer": LogWriterSettings,
    "feature-store": FeatureStoreSettings,
    "trainer": TrainerSettings,
    "ranker": RankerSettings,
    "encoder": EncoderSettings,
}
_OF_EDDYLINE_YAML: dict[str, type[Any]] = {
    "actions.<name>": Action,
    "limits": Limits,
    "prior": Prior,
    "online": Online,
    "content": Content,
    "recommend": Recommend,
    "learning": Learning,
    "learning.gate": Gate,
    "learning.policy": Policy,
    "learning.breaker": Breaker,
    "exploration": Exploration,
    "explanations": Explanations,
}
_ELSEWHERE = {(Learning, "gate"), (Learning, "policy"), (Learning, "breaker")}
"""Fields that are sections of their own."""
_HEAD = """\
# Configuration

Made by `make docs` from the types that the programs read; a test compares. Two places: what is computed and learnt
stands in `eddyline.yaml`, the same file for all services ([features.md](features.md)); where things are and
how patient they are stands in environment variables. A value that cannot be used ends the service at once with exit
code 2, and every fault is named. `eddyline up` sets addresses, ports and folders itself, and passes all other variables
on.
"""
_COMMAND = """\
`eddyline up` uses a bus or a database of yours where `EDDYLINE_NATS_URL` or `EDDYLINE_DATABASE_URL` name one; it starts
embedded ones otherwise. `EDDYLINE_HOST` is where its services listen. Everything else is an option:
`eddyline COMMAND --help`."""
_WRITTEN_BY_HAND = {
    (Content, "fields"): f"`[{', '.join(TEXT_FIELDS)}]`",
    (Action, "weight"): "`1`",
    (Action, "gain"): "its weight, at least 0",
    (
        Recommend,
        "sources",
    ): "`{co_visitation: 0.3, online: 0.2, affinity: 0.1, popular: 0.2, new: 0.1, content: 0.1}`",
    (Recommend, "fields"): "none",
    (Recommend, "half_lives_ms"): "a 12th of that of `prior`, the same, and 24 times as long",
    (Recommend, "caps"): "none",
    (Recommend, "diversity_by"): "those of `fields` that hold texts",
    (Online, "strength"): "`10` (`target: value`: `5`)",
    (Online, "l2"): "`0.003` (`target: value`: `0.02`)",
    (Explanations, "reasons"): "none",
    (Explanations, "sentences"): "those of `en` and `de` that come along",
    (Explanations, "called"): f"`[{', '.join(CALLED)}]`",
    (Online, "recent"): "`10` (`target: value`: `20`)",
}
"""Defaults that reading the file gives, not the type."""


def reference() -> str:
    """The whole text."""
    return "\n".join([_HEAD, *_environment(), "", *_view()]) + "\n"


def meanings(kind: type[Any]) -> dict[str, str]:
    """What the string under each field says, own and inherited ones."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                assert isinstance(field.target, ast.Name)
                found[field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return {name: text.replace("``", "`") for name, text in found.items()}


def _environment() -> Iterator[str]:
    yield "## Environment of the services"
    shared = {field.name for field in dataclasses.fields(ServiceSettings)}
    for title, kind, names in [
        ("all services", ServiceSettings, shared),
        *(
            (name, kind, {f.name for f in dataclasses.fields(kind)} - shared)
            for name, kind in SERVICES.items()
        ),
    ]:
        yield f"\n### {title}\n"
        yield "| variable | type | default | meaning |"
        yield "| --- | --- | --- | --- |"
        told, hints = meanings(kind), typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if field.name in names:
                least, most = field.metadata["at_least"], field.metadata["at_most"]
                bound = f", at least {least:,}" if least else ""
                bound += f", at most {most:,}" if most else ""
                yield (
                    f"| `{field.metadata['env']}` | {_type(hints[field.name])}{bound} "
                    f"| {_default(field.default)} | {told[field.name]} |"
                )
    yield "\n### the command\n"
    yield _COMMAND


def _view() -> Iterator[str]:
    yield "## eddyline.yaml"
    for title, kind in _OF_EDDYLINE_YAML.items():
        yield f"\n### {title}\n"
        yield f"{(kind.__doc__ or '').strip()}\n"
        yield "| key | default | meaning |"
        yield "| --- | --- | --- |"
        told = meanings(kind)
        for field in dataclasses.fields(kind):
            if (kind, field.name) not in _ELSEWHERE:
                key = _key(field.name)
                default = _WRITTEN_BY_HAND.get((kind, field.name)) or _default(field.default, field.name)
                yield f"| `{key}` | {default} | {told.get(field.name, '')} |"
    yield "\n### features\n"
    yield "One entry a feature, told by its `kind`; keys and columns are explained in [features.md](features.md).\n"
    yield "| kind | what it gives |"
    yield "| --- | --- |"
    for name, reader in READERS.items():
        kind = typing.get_type_hints(reader)["return"]
        yield f"| `{name}` | {' '.join((kind.__doc__ or '').split()).replace('``', '`')} |"


def _key(name: str) -> str:
    """As it is written in the file: durations are words there."""
    return name.removesuffix("_ms")


def _type(kind: Any) -> str:
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    return {int: "whole number", float: "number", str: "text", bool: "true or false", Path: "path"}[
        options[0] if options else kind
    ]


def _default(value: Any, name: str = "") -> str:
    if value is dataclasses.MISSING:
        return "required"
    if value is None:
        return "none"
    if name.endswith("_ms"):
        return f"`{spell(value)}`"
    if value == "":
        return "empty"
    if isinstance(value, int) and not isinstance(value, bool) and value > 9_999:
        # As it may be written in a variable and in the file.
        return f"`{value:_}`"
    return f"`{value}`"


def main() -> None:
    """Write the file anew."""
    PATH.write_text(reference())


if __name__ == "__main__":
    main()
