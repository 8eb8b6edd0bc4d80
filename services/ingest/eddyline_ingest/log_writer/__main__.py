"""Start the log writer: ``python -m eddyline_ingest.log_writer``."""

from eddyline_ingest.log_writer.service import running
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_runtime.lifecycle import run_service


def main() -> None:
    """Run until SIGTERM."""
    run_service("log-writer", LogWriterSettings, running)


if __name__ == "__main__":
    main()
