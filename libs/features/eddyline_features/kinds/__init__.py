"""The kinds of features: each file holds what a kind reserves, its kernels, and how its columns are read."""
