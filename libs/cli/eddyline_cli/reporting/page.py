"""A page to one HTML file: everything is in it, nothing is fetched, and no text is taken for markup."""

from __future__ import annotations

from pathlib import Path

from eddyline_cli.refusals import Refused
from eddyline_cli.reporting.plate import Page
from eddyline_cli.reporting.wording import printable

_HERE = Path(__file__).parent


def html_of(page: Page) -> str:
    """The file's text; well-formed XML as well, but for the doctype's small letters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8").replace("\n", "")
    return environment.get_template("page.html.jinja").render(page=page, style=Markup(style))


def write_page(page: Page, path: Path) -> None:
    """Write the file whole, or leave what is there as it is.

    Raises
    ------
    Refused
        If it cannot be written.
    """
    making = path.with_name(path.name + ".new")
    try:
        making.write_text(html_of(page), encoding="utf-8")
        making.replace(path)
    except OSError as error:
        raise Refused(
            f"the report cannot be written to {path}: {error}; name another file by --out"
        ) from error
