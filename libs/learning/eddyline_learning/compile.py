"""``python -m eddyline_learning.compile``: as `eddyline_features.compile`, and what learning compiles itself."""

from __future__ import annotations

import time

from eddyline_features.compile import main as compile_fold


def main() -> None:
    """Compile, and say how long it took."""
    print("compiling what counts and learns, once: it takes about half a minute", flush=True)
    compile_fold()
    started = time.perf_counter()
    import eddyline_learning.biased_factors
    import eddyline_learning.gradients  # noqa: F401

    print(f"learning compiled in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
