"""The encoder: reads what items say through a text encoder, and logs what it read."""
