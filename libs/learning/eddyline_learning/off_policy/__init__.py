"""What another policy would have been worth, from the log of the one that served: pure estimators over propensities.

All of it is *per place*: a click is taken to depend on the item and its place, and not on what else is shown (Li,
Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, "Offline evaluation of ranking policies with click models", KDD
2018). Then the marginal propensity of an item at its place is all that is needed.
"""
