"""Takes away what uploads left behind that never came to an end, or that another one overtook.

An object is stored piece by piece under a name of its own, and counts once its entry is written. The pieces of a
replica that was killed on the way have no entry; neither have those of the slower of two that stored in the same place.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from eddyline_contracts.subjects import SNAPSHOTS_BUCKET

log = logging.getLogger(__name__)

FORSAKEN = timedelta(minutes=5)
"""An upload of which nothing came for so long will not go on: its pieces come many a second."""
_STREAM = f"OBJ_{SNAPSHOTS_BUCKET}"
_PIECES = f"$O.{SNAPSHOTS_BUCKET}.C."
_ENTRIES = f"$O.{SNAPSHOTS_BUCKET}.M.>"


async def sweep(js: JetStreamContext, store: ObjectStore) -> None:
    """Delete the pieces that belong to no snapshot of any view, unless they may still be coming in."""
    try:
        used = {f"{_PIECES}{entry.nuid}" for entry in await store.list(ignore_deletes=True)}
        # By the server's clock, as the times that it is compared with.
        now = (await js.get_last_msg(_STREAM, _ENTRIES)).time
    except NotFoundError:
        return
    info = await js.stream_info(_STREAM, subjects_filter=f"{_PIECES}>")
    for subject in sorted((info.state.subjects or {}).keys() - used):
        try:
            last = (await js.get_last_msg(_STREAM, subject)).time
        except NotFoundError:
            # Another replica was faster.
            continue
        if now is not None and last is not None and now - last >= FORSAKEN:
            await js.purge_stream(_STREAM, subject=subject)
            log.info("took away what an upload left behind", extra={"subject": subject})
