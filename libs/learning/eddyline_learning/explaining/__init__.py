"""Why a model gives an item its score. Needs NumPy only: it runs where models serve as well as where they are made."""
