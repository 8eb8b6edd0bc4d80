"""The small SDK: send events and ask for slates, by HTTP or on the bus."""
