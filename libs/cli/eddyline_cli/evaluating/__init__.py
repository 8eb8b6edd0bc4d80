"""``eddyline evaluate``: files of events through fold, cycle and gate in one process."""
