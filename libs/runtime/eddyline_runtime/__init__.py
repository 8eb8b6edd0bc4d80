"""What every service needs to run: settings, logs, metrics, health, the bus, an HTTP application, clean endings."""
