"""Keeps a set of processes running: starts them in order, restarts those that crash, and leaves nothing behind."""
