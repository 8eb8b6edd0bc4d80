"""Ways to make a challenger from the examples and, where there is one, the booster before. One file each."""
