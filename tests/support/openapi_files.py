"""The OpenAPI documents as files: ``python -m tests.support.openapi_files`` writes them anew."""

from __future__ import annotations

from pathlib import Path

import msgspec

from eddyline_encoder.service import API as ENCODER
from eddyline_feature_store.routes import API as FEATURE_STORE
from eddyline_ingest.log_writer.service import API as LOG_WRITER
from eddyline_ingest.service import API as INGEST
from eddyline_ranker.service import API as RANKER
from eddyline_runtime.openapi_document import document
from eddyline_trainer.routes import API as TRAINER

FOLDER = Path(__file__).parents[2] / "docs" / "openapi"
APIS = {
    "ranker": RANKER,
    "ingest": INGEST,
    "feature-store": FEATURE_STORE,
    "trainer": TRAINER,
    "log-writer": LOG_WRITER,
    "encoder": ENCODER,
}


def encoded(service: str) -> bytes:
    """The document of a service as the file that is published."""
    return msgspec.json.format(msgspec.json.encode(document(APIS[service])), indent=2) + b"\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in APIS:
        (FOLDER / f"{name}.json").write_bytes(encoded(name))
