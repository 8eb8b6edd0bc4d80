"""From the log to a model: slates and interactions become examples, examples a booster, the booster an ONNX graph.

Pure: no I/O and no clock. The trainer hosts it over the live log; the same log gives the same examples and bytes.
"""
