"""What holds of every page that we write: well-formed, whole in itself, and to be read aloud."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

_VOID = {"meta", "link", "br"}


class _Nesting(HTMLParser):
    """Follows the tags as a browser does."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in _VOID and "svg" not in self.open:
            self.faults.append(f"<{tag}/> is no end in HTML")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def examined(html: str) -> ElementTree.Element:
    """The page's tree, after everything that holds of every page was asserted."""
    doctype, _, rest = html.partition("\n")
    assert doctype == "<!doctype html>"
    nesting = _Nesting()
    nesting.feed(html)
    nesting.close()
    assert nesting.faults == []
    assert nesting.open == []
    root = ElementTree.fromstring(rest)
    # Nothing is fetched and nothing is run.
    assert "http" not in html
    assert "//" not in re.sub(r"</?\w", "", html).replace("://", "")
    assert not {"script", "iframe", "object", "embed", "img", "image", "foreignObject"} & {
        element.tag for element in root.iter()
    }
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or name == "src"]
        if "href" in element.attrib:
            assert element.attrib["href"].startswith("#") or element.attrib["href"] == "data:,"
    assert "@import" not in html
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', html))
    named |= set(re.findall(r'aria-labelledby="([^"]+)"', html))
    assert named <= set(ids), named - set(ids)
    # Every colour follows day and night.
    assert re.findall(r'style="[^"]*#[0-9a-fA-F]{6}[^"]*"', html) == []
    for svg in root.iter("svg"):
        assert svg.attrib["role"] == "img"
        assert (svg.findtext("title") or "").strip()
        assert "viewBox" in svg.attrib
    for figure in root.iter("figure"):
        assert (figure.findtext("h3") or "").strip()
        has_drawing = figure.find(".//svg") is not None
        assert has_drawing == bool((figure.findtext("figcaption") or "").strip())
        assert has_drawing != (figure.find("p[@class='missing']") is not None)
    for table in root.iter("table"):
        width = len(table.findall("thead/tr/th"))
        assert width
        for row in table.findall("tbody/tr"):
            assert len(list(row)) == width
    assert root.attrib["lang"] == "en"
    assert root.find("head/meta[@name='viewport']") is not None
    return root


def words_of(root: ElementTree.Element) -> str:
    """All its text, in one line."""
    return re.sub(r"\s+", " ", " ".join(root.itertext()))


def figure_of(root: ElementTree.Element, slug: str) -> ElementTree.Element:
    """The figure of this anchor."""
    found = root.find(f".//figure[@id='{slug}']")
    assert found is not None, slug
    return found
