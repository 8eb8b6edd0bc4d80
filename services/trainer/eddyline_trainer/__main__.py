"""Start the trainer: ``python -m eddyline_trainer``."""

from eddyline_runtime.lifecycle import run_service
from eddyline_runtime.priority import stand_back
from eddyline_trainer.service import running
from eddyline_trainer.settings import TrainerSettings


def main() -> None:
    """Run until SIGTERM; whoever serves comes first."""
    stand_back()
    run_service("trainer", TrainerSettings, running)


if __name__ == "__main__":
    main()
