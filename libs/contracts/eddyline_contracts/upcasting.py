"""Old forms to the newest: an event that was once accepted can be read for ever.

A change that old readers would misread raises ``events.VERSION`` and registers one function from the old form to
the next; they are applied in turn. Golden files of every version are kept in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eddyline_contracts.events import VERSION
from eddyline_contracts.limits import UnknownVersion

Upcasters = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]

UPCASTERS: Upcasters = {}
"""By the version they take; each gives the next one. The first form is still the only one."""


def upcast(event: dict[str, Any], upcasters: Upcasters = UPCASTERS, newest: int = VERSION) -> dict[str, Any]:
    """Bring a decoded event of any known version to ``newest``.

    Raises
    ------
    UnknownVersion
        If it is newer than this code, or no path leads on from it.
    """
    version = event.get("v", VERSION)
    while version != newest:
        if not isinstance(version, int) or version > newest or version not in upcasters:
            raise UnknownVersion(
                f"version {version!r} of the event form is not known here (newest: {newest}): "
                "upgrade Eddyline before its clients"
            )
        event = upcasters[version](event)
        version += 1
        event["v"] = version
    return event
