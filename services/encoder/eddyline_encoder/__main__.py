"""Start the encoder: ``python -m eddyline_encoder``."""

from eddyline_encoder.service import running
from eddyline_encoder.settings import EncoderSettings
from eddyline_runtime.lifecycle import run_service
from eddyline_runtime.priority import stand_back


def main() -> None:
    """Run until SIGTERM; whoever serves comes first."""
    stand_back()
    run_service("encoder", EncoderSettings, running)


if __name__ == "__main__":
    main()
