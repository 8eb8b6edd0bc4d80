"""Start the feature-store: ``python -m eddyline_feature_store``."""

from eddyline_feature_store.service import running
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_runtime.lifecycle import run_service


def main() -> None:
    """Run until SIGTERM."""
    run_service("feature-store", FeatureStoreSettings, running)


if __name__ == "__main__":
    main()
