"""Sending events to ingest so that each counts once: reading files, naming events, batches, patience."""
