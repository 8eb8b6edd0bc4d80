"""The feature-store: hosts the fold as it follows the log, and answers the ranker from it."""
