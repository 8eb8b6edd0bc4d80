"""The budgets, measured: ``python -m benchmarks``, or one area alone, as ``python -m benchmarks.fold``."""
