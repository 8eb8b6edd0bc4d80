"""Conditions on fields over all items at once: each takes out of a mask the rows of which it is not true.

Only rows that are still in are looked at, so whatever comes after a narrow condition costs next to nothing. Most items
have few values in a field: the first four places are looked at without asking how many there are, since a processor
that has to guess where each list ends guesses wrong.
"""

from __future__ import annotations

from eddyline_features.kernel import Floats, FloatTable, IntTable, Octets, kernel


@kernel
def has_number(number: float, wanted: Floats) -> int:
    """1 where it is one of these, which rise."""
    low = 0
    high = wanted.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if wanted[middle] < number:
            low = middle + 1
        else:
            high = middle
    return 1 if low < wanted.shape[0] and wanted[low] == number else 0


@kernel
def keep_one_of(
    mask: Octets,
    keep: int,
    values: IntTable,
    first: int,
    width: int,
    wanted: Octets,
    numbers: FloatTable,
    place: int,
    wanted_numbers: Floats,
) -> None:
    """Rows with a wanted code among their places, or a wanted number; ``keep`` 0: those without.

    Parameters
    ----------
    first, width
        Places of the codes, those in use first; ``width`` is 0 where only numbers count.
    wanted
        By code + 1: 1 where it is; 0 for no code, -1.
    place
        Of the number; -1 where only codes count.
    wanted_numbers
        Rising.
    """
    beyond = first + 4
    end = first + width
    for row in range(mask.shape[0]):
        if mask[row] == 0:
            continue
        found = 0
        at = first
        if beyond <= end:
            found = int(
                wanted[values[row, first] + 1]
                | wanted[values[row, first + 1] + 1]
                | wanted[values[row, first + 2] + 1]
                | wanted[values[row, first + 3] + 1]
            )
            at = beyond if values[row, beyond - 1] >= 0 else end
        while at < end and found == 0:
            code = values[row, at]
            if code < 0:
                break
            found = int(wanted[code + 1])
            at += 1
        if place >= 0 and found == 0:
            found = has_number(numbers[row, place], wanted_numbers)
        mask[row] = 1 if found == keep else 0


@kernel
def keep_between(mask: Octets, keep: int, numbers: FloatTable, place: int, least: float, most: float) -> None:
    """Rows whose number lies between two, both included; ``keep`` 0: the others, and those without a number."""
    for row in range(mask.shape[0]):
        if mask[row] == 0:
            continue
        number = numbers[row, place]
        found = 1 if least <= number <= most else 0
        mask[row] = 1 if found == keep else 0


@kernel
def keep_known(
    mask: Octets, keep: int, values: IntTable, first: int, width: int, numbers: FloatTable, place: int
) -> None:
    """Rows with a code or a number; ``keep`` 0: those without."""
    for row in range(mask.shape[0]):
        if mask[row] == 0:
            continue
        has_one = place >= 0 and numbers[row, place] == numbers[row, place]
        has_code = width > 0 and values[row, first] >= 0
        mask[row] = 1 if int(has_one or has_code) == keep else 0
