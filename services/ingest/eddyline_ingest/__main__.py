"""Start ingest: ``python -m eddyline_ingest``."""

from eddyline_ingest.service import running
from eddyline_ingest.settings import IngestSettings
from eddyline_runtime.lifecycle import run_service


def main() -> None:
    """Run until SIGTERM."""
    run_service("ingest", IngestSettings, running)


if __name__ == "__main__":
    main()
