"""The kinds of features as they are declared: a module a kind, with its frozen dataclass and how it is written.

Needs neither NumPy nor Numba, so that the ranker and the command can read views too.
"""
