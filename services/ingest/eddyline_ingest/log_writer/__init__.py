"""The log writer: inbox → log, a process of its own, one active: ``python -m eddyline_ingest.log_writer``."""
