"""Conditions on item fields as JSON: read and checked without NumPy, and run over all items of a state."""
