"""Events in: over HTTP into the inbox, and from the inbox into the log (``log_writer``, a process of its own)."""
