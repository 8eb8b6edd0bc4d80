"""The section ``content`` of eddyline.yaml: what an encoder reads of items, and how much room its vectors have.

Of these, ``dims`` bounds the state; the rest is the encoder's own, and may change at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline_features.yaml_reader import Section

TEXT_FIELDS = (
    *(
        "title",
        "name",
        "headline",
        "subtitle",
        "brand",
        "category",
        "categories",
        "genres",
        "tags",
        "keywords",
    ),
    *("summary", "abstract", "description", "text", "body"),
)
"""Fields that usually say what an item is. The short ones come first: an encoder reads the beginning of a text."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What items' texts say, as vectors that an encoder makes and the log keeps."""

    fields: tuple[str, ...] = TEXT_FIELDS
    """Item fields that make up the text, in this order; those that an item does not have are passed over."""
    dims: int = 1_024
    """Numbers of a vector at most: each item takes four bytes for each that its encoder gives. Longer ones are not
    taken."""

    def shape(self) -> dict[str, Any]:
        """What decides about the state."""
        return {"dims": self.dims}


def read_content(root: Section) -> Content | None:
    """Read the section; None where there is none."""
    section = root.section("content")
    if section is None:
        return None
    content = Content(
        fields=_read_fields(section) if section.has("fields") else TEXT_FIELDS,
        dims=section.integer("dims", Content.dims, 1, 4_096),
    )
    section.close()
    return content


def _read_fields(section: Section) -> tuple[str, ...]:
    found: list[str] = []
    for node in section.members("fields"):
        name = node.value.removeprefix("item.") if isinstance(node.value, str) else ""
        if not name or name in found:
            section.problems.add(
                node,
                "`content.fields`: names of item fields, each once, are expected, as [title, description]",
            )
        else:
            found.append(name)
    return tuple(found)
