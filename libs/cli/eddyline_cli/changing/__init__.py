"""A view changes without downtime: the one before serves on until the new one has a model of its own."""
