"""Protocol ``next-item``: before each interaction, what would have been proposed to the person, and in which order."""
