"""Orders that chance has a say in, and how likely each was: a file a policy. NumPy only, so that a ranker stays light.

What is computed everywhere here is the probability that the policy puts an item at a place, *whatever stands above
it*: the marginal one, not the one given the items above. It is what the log calls a propensity. Weighing the click at
each place by it needs no more than that a click depends on the item and its place (Li, Abbasi-Yadkori, Kveton,
Muthukrishnan, Vinay and Wen, "Offline evaluation of ranking policies with click models", KDD 2018), while the product
of conditional probabilities over a slate of twenty leaves no effective sample.
"""
