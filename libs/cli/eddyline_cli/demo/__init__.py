"""Sends a history through a running Eddyline in its own order, and measures what came of it."""
