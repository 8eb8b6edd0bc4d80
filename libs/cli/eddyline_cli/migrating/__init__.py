"""Configurations of other systems to a view."""
