"""Figures to SVG that can stand in a page: the same values give the same bytes, and the page's style colours them.

Plain matplotlib objects without its global state: no window, no current figure.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from eddyline_cli.reporting.looks import RC, VARIABLES
from eddyline_cli.reporting.wording import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 9.6, 4.7
"""Inches, of which the page makes what fits."""
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_LONG = re.compile(r"-?\d+\.\d{3,}")
_USED = re.compile(r"#([A-Za-z][\w.-]*)")
_COLOUR = re.compile("|".join(VARIABLES))
_SIZE = re.compile(r"font:\s*(?:(bold|\d{3})\s+)?([\d.]+)px[^;]*")


def svg_of(
    slug: str,
    title: str,
    draw: Callable[[Figure, list[Axes]], None],
    *,
    width: float = WIDE,
    heights: tuple[float, ...] = (2.7,),
    columns: tuple[float, ...] = (),
    share_x: bool = True,
) -> str:
    """Let something be drawn, and give it as an ``<svg>`` element without namespaces, to stand in an HTML page.

    Parameters
    ----------
    title
        What is read out in place of the picture.
    draw
        Gets the figure and its panels.
    heights
        Of panels one above the other, in inches; with ``columns`` only the first counts.
    columns
        Relative widths of panels side by side.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(RC):
        height = heights[0] if columns else sum(heights)
        figure = Figure(figsize=(width, height), layout="constrained", dpi=72)
        if columns:
            panels = list(figure.subplots(1, len(columns), squeeze=False, width_ratios=columns)[0])
        else:
            grid = figure.subplots(len(heights), 1, squeeze=False, sharex=share_x, height_ratios=heights)
            panels = [row[0] for row in grid]
        draw(figure, panels)
        buffer = io.StringIO()
        with warnings.catch_warnings():
            # The reader's fonts draw the text; here it is only measured.
            warnings.filterwarnings("ignore", message=r"Glyph .* missing")
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return inline(buffer.getvalue(), slug, title)


def inline(raw: str, slug: str, title: str) -> str:
    """Matplotlib's file as an element of a page: its own ids, no styles for all, colours as variables."""
    raw = printable(raw)
    root = ElementTree.fromstring(raw)
    used = set(_USED.findall(raw))
    for parent in root.iter():
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        for name in list(element.attrib):
            value = element.attrib.pop(name)
            if name == "id":
                if value not in used:
                    continue
                value = f"{slug}-{value}"
            elif name == _LINK:
                name, value = "href", f"#{slug}-{value[1:]}"
            elif value.startswith("url(#"):
                value = f"url(#{slug}-{value[5:]}"
            if name == "style":
                value = _COLOUR.sub(lambda found: f"var({VARIABLES[found[0]]})", _SIZE.sub(_font, value))
            element.attrib[name] = _LONG.sub(lambda found: f"{float(found[0]):.2f}", value)
        if element.text and not element.text.strip():
            element.text = None
        element.tail = None
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{slug}-title"}
    named = ElementTree.Element("title", {"id": f"{slug}-title"})
    named.text = title
    root.insert(0, named)
    return ElementTree.tostring(root, encoding="unicode")


def _font(found: re.Match[str]) -> str:
    """Only its size and weight: which font, the page says."""
    weight = f"; font-weight: {found[1]}" if found[1] else ""
    return f"font-size: {found[2]}px{weight}"
