"""The loop as a whole in one process: people who are made up click on what the learner's own champion shows them.

Nothing is a stand-in but the people: fold, joining, examples, cycles and gate are the product's. As the people are
known, so is the truth: how good any order is, whatever was clicked.
"""
