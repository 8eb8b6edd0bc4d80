"""The figures of a report, one a file: each takes values and gives a `Plate`, also where there is nothing to draw."""
