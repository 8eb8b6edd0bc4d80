"""The words of the filter language, and what people write who know those of another."""

from __future__ import annotations

import difflib

AND, OR, NOT, FIELD = "and", "or", "not", "field"
EQUALS, IN, CONTAINS, EXISTS = "equals", "in", "contains", "exists"
GT, GTE, LT, LTE = "gt", "gte", "lt", "lte"
BOUNDS = (GT, GTE, LT, LTE)
OPERATORS = (EQUALS, IN, *BOUNDS, CONTAINS, EXISTS)

_ELSEWHERE = {
    **dict.fromkeys(("eq", "is", "term", "match", "==", "=", "value", "values"), f"`{EQUALS}`"),
    **dict.fromkeys(("terms", "any", "one_of", "any_of"), f"`{IN}`"),
    **dict.fromkeys(("has", "all", "all_of", "includes"), f"`{CONTAINS}`"),
    **dict.fromkeys((">", "min", "greater"), f"`{GT}`"),
    **dict.fromkeys((">=", "ge", "from"), f"`{GTE}`"),
    **dict.fromkeys(("<", "less"), f"`{LT}`"),
    **dict.fromkeys(("<=", "le", "max", "to"), f"`{LTE}`"),
    **dict.fromkeys(
        ("ne", "neq", "!=", "<>", "nin", "not_in", NOT), f'`{NOT}`, as {{"not": {{"brand": "a"}}}}'
    ),
    "range": "`gte` and `lt`",
    "missing": '`exists`, as {"brand": {"exists": false}}',
}
_LOGIC = {
    **dict.fromkeys(("must", "all", "filter", "&&", "allof"), AND),
    **dict.fromkeys(("should", "any", "||", "anyof"), OR),
    **dict.fromkeys(("must_not", "none", "!", "nor"), NOT),
}


def meant_operator(word: str) -> str:
    """What was probably meant by a word that is no operator, for a message; empty where nobody can tell."""
    plain = word.lower().lstrip("$")
    if plain in OPERATORS:
        return f": did you mean `{plain}`?"
    elsewhere = _ELSEWHERE.get(plain)
    if elsewhere is None:
        near = difflib.get_close_matches(plain, OPERATORS, n=1)
        elsewhere = f"`{near[0]}`" if near else None
    return "" if elsewhere is None else f": did you mean {elsewhere}?"


def meant_logic(word: str) -> str | None:
    """Which of ``and``, ``or``, ``not`` was probably meant by the name of a field that holds conditions."""
    plain = word.lower().lstrip("$")
    return plain if plain in (AND, OR, NOT) else _LOGIC.get(plain)
