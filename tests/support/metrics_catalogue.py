"""The table of docs/metrics.md, made from the services' own definitions.

Run ``python -m tests.support.metrics_catalogue`` after a change there; a test compares the file with what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

PATH = Path(__file__).parents[2] / "docs" / "metrics.md"
SERVICES = {
    "ingest": "eddyline_ingest.metrics",
    "log writer": "eddyline_ingest.log_writer.metrics",
    "feature-store": "eddyline_feature_store.metrics",
    "trainer": "eddyline_trainer.metrics",
    "ranker": "eddyline_ranker.metrics",
    "encoder": "eddyline_encoder.metrics",
}
_HEAD = ("| name | kind | unit | meaning | service |", "| --- | --- | --- | --- | --- |")
_UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "sequence": "place in the log",
    "cursor": "place in the log",
}


def table() -> list[str]:
    """Its lines."""
    return [*_HEAD, *(_row(metric, service) for service in SERVICES for metric in _metrics(service))]


def table_of(text: str) -> list[str]:
    """The lines of the table in a file."""
    return [line for line in text.splitlines() if line.startswith("|")]


def _metrics(service: str) -> Iterator[MetricWrapperBase]:
    """Those that its module defines; a metric with labels once, not for each of their values."""
    for value in vars(import_module(SERVICES[service])).values():
        if isinstance(value, MetricWrapperBase) and not value._labelvalues:
            yield value


def _row(metric: MetricWrapperBase, service: str) -> str:
    (family,) = metric.describe()
    counts = isinstance(metric, Counter)
    name = f"{family.name}_total" if counts else family.name
    labels = f"{{{', '.join(metric._labelnames)}}}" if metric._labelnames else ""
    words = family.name.split("_")
    unit = next((_UNITS[word] for word in (words[-1], words[-2]) if word in _UNITS), "count")
    return f"| `{name}{labels}` | {family.type} | {unit} | {family.documentation} | {service} |"


def main() -> None:
    """Bring the file up to date."""
    text = PATH.read_text()
    before, after = "\n".join(table_of(text)), "\n".join(table())
    assert before, "the file has no table to replace"
    PATH.write_text(text.replace(before, after))


if __name__ == "__main__":
    main()
