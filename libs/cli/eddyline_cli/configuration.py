"""Finds and checks eddyline.yaml."""

from __future__ import annotations

from pathlib import Path

from eddyline_cli.refusals import ConfigRefused
from eddyline_features.view import View, ViewError, load_view

DEFAULT = Path("eddyline.yaml")


def find_config(given: Path | None, instead: str = "`--config FILE`") -> Path:
    """The file that was named, or ./eddyline.yaml; ``instead``: how the caller lets one be named.

    Raises
    ------
    ConfigRefused
        If there is none.
    """
    path = given or DEFAULT
    if path.is_file():
        return path
    if given is not None:
        raise ConfigRefused(f"there is no file {given}: name an existing one with {instead}")
    raise ConfigRefused(
        "there is no eddyline.yaml in this folder. It says which features there are and what people do with items.\n"
        "Have one written from your data: `eddyline autoconfig EVENTS -o eddyline.yaml`. Or copy examples/shop.yaml "
        f"here as eddyline.yaml and change it to your fields, or name another file: {instead}."
    )


def read_config(path: Path) -> View:
    """The view that a file declares; raises as `read_declaration`."""
    return read_declaration(path)[0]


def read_declaration(path: Path) -> tuple[View, str]:
    """The view that a file declares, and its text.

    Raises
    ------
    ConfigRefused
        With all that is wrong in it.
    """
    try:
        text = path.read_text()
        return load_view(text), text
    except ViewError as error:
        n = len(error.problems)
        listed = "\n".join(f"  {path}:{p.line}: {p.message}" for p in error.problems)
        raise ConfigRefused(
            f"{path} has {n} problem{'s' * (n != 1)}:\n{listed}\n"
            "Mend these lines; docs/features.md has all that may be written."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigRefused(
            f"{path} cannot be read: {error}. A file in UTF-8 is expected that you may read"
        ) from error
