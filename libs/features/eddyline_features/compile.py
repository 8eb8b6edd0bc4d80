"""``python -m eddyline_features.compile``: compile every kernel into Numba's cache, at installation or image build.

Importing the fold compiles what is not cached, since every kernel has one fixed signature.
"""

from __future__ import annotations

import time


def main() -> None:
    """Compile, and say how long it took."""
    started = time.perf_counter()
    import eddyline_features.state  # noqa: F401

    print(f"fold compiled in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
