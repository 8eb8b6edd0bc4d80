"""Real servers from wheels: PostgreSQL and nats-server, on loopback, without root and without an install."""
