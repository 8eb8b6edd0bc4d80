"""What each way to go on learning is worth while the world changes, and what it costs: docs/strategies.md."""
