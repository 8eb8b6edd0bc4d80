"""A first eddyline.yaml from data: show a `Profile` every event, then ask `propose` for the text.

One pass, bounded memory, and the same events give the same text.
"""

from eddyline_features.profiling import Profile
from eddyline_features.proposing import propose

__all__ = ["Profile", "propose"]
