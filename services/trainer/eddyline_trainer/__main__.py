"""Start the trainer: ``python -m eddyline_trainer``."""

from eddyline_runtime.lifecycle import run_service
from eddyline_trainer.service import running
from eddyline_trainer.settings import TrainerSettings


def main() -> None:
    """Run until SIGTERM."""
    run_service("trainer", TrainerSettings, running)


if __name__ == "__main__":
    main()
