"""``python -m eddyline_features.compile``: compile every kernel into Numba's cache, at installation or image build.

A module compiles what is not cached as it is imported, since every kernel has one fixed signature. Without this, a
start compiles what its view needs.
"""

from __future__ import annotations

import time


def main() -> None:
    """Compile, and say how long it took."""
    started = time.perf_counter()
    import eddyline_features.filters.masks
    import eddyline_features.retrieval.browsing
    import eddyline_features.retrieval.candidates
    import eddyline_features.state  # noqa: F401
    from eddyline_features.kinds.directory import ENTRIES

    for entry in ENTRIES:
        entry.load()

    print(f"fold compiled in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
