"""A made-up shop and made-up people who click on what a running Eddyline shows them."""
