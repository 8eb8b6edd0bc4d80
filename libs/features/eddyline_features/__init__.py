"""Features: what eddyline.yaml declares (`view`), and the fold that computes it from the log (`state`).

Pure: no I/O, no clock, no unseeded randomness. `view` needs neither NumPy nor Numba, so that every service can
read the configuration; import `state` only where the fold runs.
"""
