"""Start the ranker: ``python -m eddyline_ranker``."""

from eddyline_ranker.service import running
from eddyline_ranker.settings import RankerSettings
from eddyline_runtime.lifecycle import run_service


def main() -> None:
    """Run until SIGTERM."""
    run_service("ranker", RankerSettings, running)


if __name__ == "__main__":
    main()
