"""A page to look at: what a running system, or an evaluation, did over time; one file without any network."""
