"""From scored candidates to a slate: caps and diversity. Of NumPy only: the ranker and ``evaluate`` use it."""
