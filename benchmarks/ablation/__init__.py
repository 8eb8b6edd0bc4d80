"""What each group of features is worth: ``python -m benchmarks.ablation [ranklens|deskdrop|simulator]``.

No part of ``make bench``: it compares orders, not times, and runs for minutes. docs/ablation.md has what it found.
"""
