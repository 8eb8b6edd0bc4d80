"""Texts of items to vectors: the encoders, and the exact bytes by which a vector is logged."""
