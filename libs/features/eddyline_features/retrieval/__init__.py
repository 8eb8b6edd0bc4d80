"""Which items could be shown to a person: bounded, streaming, a function of what was told."""
