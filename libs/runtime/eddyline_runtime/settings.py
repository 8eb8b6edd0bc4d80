"""Settings from the environment: a frozen dataclass per service, read once in ``main`` and passed down.

Every wrong value is reported at once, with the variable's name and what is expected there.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_SECRET = re.compile(r"(://[^:/@]*:)[^@]*@")


class SettingsError(ValueError):
    """One or more settings cannot be used; the text names them all."""


def setting(
    env: str,
    default: Any = dataclasses.MISSING,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    one_of: tuple[str, ...] = (),
) -> Any:
    """Declare a dataclass field that is read from the variable ``env``, with the bounds or the words it may take."""
    bounds = {"at_least": at_least, "at_most": at_most}
    return field(default=default, metadata={"env": env, **bounds, "one_of": one_of})


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What all services share."""

    host: str = setting("EDDYLINE_HOST", "127.0.0.1")
    """Address to listen on."""
    nats_url: str = setting("EDDYLINE_NATS_URL", "nats://127.0.0.1:7445")
    """Where the bus is."""
    log_level: str = setting("EDDYLINE_LOG_LEVEL", "INFO", one_of=("DEBUG", "INFO", "WARNING", "ERROR"))
    """DEBUG, INFO, WARNING or ERROR."""


def read_settings(cls: type[T], environ: Mapping[str, str] = os.environ) -> T:
    """Fill a settings dataclass from the environment.

    Raises
    ------
    SettingsError
        Naming every variable that is missing or wrong.
    """
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        env = item.metadata.get("env")
        if env is None:
            continue
        said = environ.get(env, "")
        if said == "":
            if item.default is dataclasses.MISSING:
                faults.append(f"{env} is not set: give it in the environment")
            continue
        try:
            value = _convert(said, hints[item.name])
        except ValueError as error:
            faults.append(f"{env}={said!r}: {error}")
            continue
        least, most = item.metadata.get("at_least"), item.metadata.get("at_most")
        # Asked so that NaN is within no bounds.
        if least is not None and not value >= least:
            faults.append(f"{env}={said}: at least {least} is expected")
            continue
        if most is not None and not value <= most:
            faults.append(f"{env}={said}: at most {most} is expected")
            continue
        words = item.metadata.get("one_of")
        if words and value not in words:
            faults.append(f"{env}={said!r}: one of {', '.join(words)} is expected")
            continue
        values[item.name] = value
    if faults:
        raise SettingsError("these settings cannot be used:\n  " + "\n  ".join(faults))
    return cls(**values)


def _convert(said: str, kind: Any) -> Any:
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if options:
        kind = options[0]
    if kind is bool:
        if said.lower() in ("1", "true", "yes", "on"):
            return True
        if said.lower() in ("0", "false", "no", "off"):
            return False
        raise ValueError("true or false is expected")
    if kind is int or kind is float:
        try:
            return kind(said)
        except ValueError:
            raise ValueError(f"a {'whole ' if kind is int else ''}number is expected") from None
    if kind is Path:
        return Path(said)
    return said


def masked(settings: Any) -> dict[str, Any]:
    """The effective values for the log, passwords in URLs hidden."""
    return {name: _SECRET.sub(r"\1***@", str(value)) for name, value in dataclasses.asdict(settings).items()}
