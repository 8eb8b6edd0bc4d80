from __future__ import annotations

import json
import logging
import sys

from eddyline_runtime.logs import JsonFormatter


def test_a_record_is_one_line_of_json_with_its_extra_members() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "levelname": "INFO", "msg": "took %d", "args": (3,), "items": 24}
    )
    line = JsonFormatter("ranker").format(record)
    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["service"], entry["level"], entry["message"], entry["items"]) == (
        "ranker",
        "info",
        "took 3",
        24,
    )


def test_an_exception_is_kept_with_its_trace() -> None:
    try:
        raise RuntimeError("the pipe broke")
    except RuntimeError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    assert "the pipe broke" in json.loads(JsonFormatter("ranker").format(record))["exception"]
