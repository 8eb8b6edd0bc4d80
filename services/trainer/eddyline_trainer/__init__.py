"""The trainer: follows the log, makes models where the log says, and hands them to the rankers."""
