"""Keeping the inbox from filling up with events that are in the log, and telling how far the log is behind it."""

from __future__ import annotations

import asyncio
import logging

from nats.aio.client import Client

from eddyline_contracts.subjects import INBOX_STREAM
from eddyline_eventlog.appending import Appender
from eddyline_ingest.jetstream import api, is_transient
from eddyline_ingest.log_writer import metrics
from eddyline_ingest.log_writer.adoption import position

log = logging.getLogger(__name__)
EVERY_S = 1.0
_FULL = 0.7


async def care_for_inbox(bus: Client, appender: Appender, *, every_s: float = EVERY_S) -> None:
    """For ever: measure the lag, and clear away the older half of what is logged when the inbox fills up.

    A full inbox refuses new events, and by age alone it would do so for hours after a busy time. What the log does
    not hold yet is never touched.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await _look(bus, appender)
        except Exception as error:
            # The reader notices as well, and says so.
            if not is_transient(error):
                log.warning("the inbox could not be looked after: %s", error)


async def _look(bus: Client, appender: Appender) -> None:
    info = await api(bus, f"STREAM.INFO.{INBOX_STREAM}")
    state, config, cursor = info["state"], info["config"], appender.cursor
    if info["created"] != cursor.stream_created:
        return
    logged = position(cursor)
    metrics.LAG.set(max(0, state["last_seq"] - max(logged, state["first_seq"] - 1)))
    full = config["max_bytes"] > 0 and state["bytes"] > _FULL * config["max_bytes"]
    # The message at the cursor stays: by it the next writer knows the stream again.
    keep_from = state["first_seq"] + (logged - state["first_seq"]) // 2
    if full and keep_from > state["first_seq"]:
        await api(bus, f"STREAM.PURGE.{INBOX_STREAM}", {"seq": keep_from})
        metrics.TRIMMED.inc()
        log.info("logged events cleared from the inbox", extra={"up_to": keep_from - 1})
