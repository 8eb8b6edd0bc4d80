"""``eddyline doctor``: what is looked at, and how it is judged. Looking asks; judging is pure."""
