"""Models that were made elsewhere: what they must be before anybody runs them, and how they must behave."""
