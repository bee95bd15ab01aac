"""Amounts of money in free English: which of them is asked for a car, and which is said of something else."""

import re
from typing import NamedTuple

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_VALUES = {word: i for i, word in enumerate(f"{_UNITS} eighteen nineteen".split())}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES |= {word: 10 * i for i, word in enumerate(_TENS.split(), 2)} | {"fourty": 40}
_TIMES = {"hundred": 100, "thousand": 1000, "grand": 1000, "million": 10**6, "k": 1000, "": 1}
_WORD = "|".join(sorted([*_VALUES, "hundred", "thousand"], key=len, reverse=True))
_SPELT = re.compile(rf"(?<![0-9])(?<![0-9][ -])\b(?:an? )?(?:{_WORD})(?:[ -]+(?:and )?(?:{_WORD}))*\b", re.I)
_MONEY = r"dollars?|bucks|usd"
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>(?:us)?\$ ?|usd )?(?<![\w.,-])"
    r"(?P<whole>[0-9]{1,3}(?:[,.][0-9]{3})+|[0-9]+)(?P<part>\.[0-9]+)?"
    rf"(?:[ -]?(?P<times>k|thousand|grand|million)\b)?(?: ?(?P<unit>%|(?:percent|per cent|{_MONEY})\b|[a-z]+))?",
    re.I | re.A,
)
MOST = 10**8
"""Dollars; whatever is more is this much."""
_PLAIN = 2500
"""What a number without a sign or a unit must be at least to be money; years apart."""


class Amount(NamedTuple):
    """What a number in a text is."""

    role: str
    """ask, off (dollars), percent (off), listed, budget, fee, or none of these: other."""
    value: float


def digits(text: str) -> str:
    """Spelt numbers in digits, where they are of some size or of money.

    >>> digits("forty-five thousand five hundred dollars, five percent, one day")
    '45500 dollars, 5 percent, one day'
    """
    return _SPELT.sub(lambda hit: _written(hit, text[hit.end() : hit.end() + 9]), text)


def _written(hit: re.Match[str], after: str) -> str:
    words = re.findall(r"[a-z]+", hit[0].lower())
    big = "hundred" in words or "thousand" in words
    if not big and not re.match(rf" ?(?:%|percent|per cent|grand|k\b|{_MONEY})", after, re.I):
        return hit[0]
    total = group = 0
    for word in words:
        if word == "thousand":
            total, group = min(total + (group or 1) * 1000, MOST), 0
        elif word == "hundred":
            group = min((group or 1) * 100, MOST)
        else:
            group += _VALUES.get(word, 0)
    return str(total + group)


_OFF_AFTER = re.compile(r"\s*(?:-\s*)?(?:off|discount|rebate|less|cheaper|reduction|lower|below|back|savings)\b", re.I)
_OFF_BEFORE = re.compile(
    r"(?:\b(?:reduc\w+|lower\w*|drop\w*|cut\w*|down|discount\w*|bring) (?:\w+ ){0,3}by|\bknock(?:ing)?(?: off)?|\boff|"
    r"\bsav(?:e|es|ing)(?: you)?|\b(?:discount|rebate|reduction|savings?)(?: of|:| is)?)"
    r"(?: about| around| up to| another| an? extra| an? additional)?\s*$",
    re.I,
)
_FILL = r"(?:[ =:]+(?:is|are|at|for|of|the|price|value|just|about|around|only|up|to|was|normally|a|an)\b)*[ =:]*$"
_LISTED = re.compile(
    r"\b(?:msrp|lists?|listed|list price|sticker|retails?|normally|usually|regular(?:ly)?|original(?:ly)?|valued|worth|"
    rf"market (?:price|value))\b{_FILL}",
    re.I,
)
_OLD = re.compile(
    r"\b(?:was|were|instead of|rather than|down from|(?<!start )(?<!starts )(?<!starting )from)\s*$", re.I
)
_BUDGET = re.compile(rf"\b(?:budgets?|afford|spend(?:ing)?|price range|range)\b{_FILL}", re.I)
_BUDGET_AFTER = re.compile(r"\s*(?:price )?(?:budget|range)\b", re.I)
_TERMS = re.compile(r"\s*(?:(?:a|per|/|each|every) ?(?:month|mo\b|year|week)|monthly|down\b|deposit|apr\b)", re.I)
_REFUSED = re.compile(
    r"\b(?:can't|cannot|can not|won't|wouldn't|couldn't|not|never)\b(?!.*\b(?:below|under|less|lower)\b)", re.I
)
_FEE = re.compile(r"\bplus\s*(?:an? |another |extra )*$", re.I)
_CLAUSE = re.compile(r"[,;:!?]|\bbut\b|\band\b", re.I)


def amounts(sentence: str) -> list[Amount]:
    """All amounts of a sentence, spelt or in digits, each with its role.

    >>> amounts("It lists at $50,000, but I can take $2k off and say forty-eight thousand.")
    [Amount(role='listed', value=50000), Amount(role='off', value=2000), Amount(role='ask', value=48000)]
    """
    text = digits(sentence)
    return [found for hit in _NUMBER.finditer(text) if (found := _amount(hit, text)).role != "other"]


def _amount(hit: re.Match[str], text: str) -> Amount:
    value, unit = _value(hit), (hit["unit"] or "").lower()
    before, after = text[: hit.start()], text[hit.start("unit") if hit["unit"] else hit.end() :]
    if unit in ("%", "percent", "per cent"):
        off = _OFF_AFTER.match(after[len(unit) :]) or _OFF_BEFORE.search(before)
        return Amount("percent" if off and value <= 100 else "other", value)
    if re.fullmatch(_MONEY, unit):
        after = after[len(unit) :]
    elif not hit["sign"] and not hit["times"] and not _is_plain_price(hit, value, unit):
        return Amount("other", value)
    return Amount(_role(before, after), value)


def _value(hit: re.Match[str]) -> float:
    whole = int(re.sub("[,.]", "", hit["whole"])[:12])
    value = (whole + float(hit["part"] or 0)) * _TIMES[(hit["times"] or "").lower()]
    return min(round(value), MOST)


_NOT_MONEY = re.compile(
    r"(?:miles?|mi|km|kilometers?|kilometres?|hp|horsepower|mpg|rpm|lbs?|pounds|customers?|people|cars|th|st)"
)


def _is_plain_price(hit: re.Match[str], value: float, unit: str) -> bool:
    year = 1900 <= value <= 2100 and "," not in hit["whole"]
    return value >= _PLAIN and not year and not _NOT_MONEY.fullmatch(unit)


def _role(before: str, after: str) -> str:
    clause = _CLAUSE.split(before)[-1]
    if _TERMS.match(after) or _OLD.search(before):
        return "other"
    if _OFF_AFTER.match(after) or _OFF_BEFORE.search(before):
        return "off"
    if _LISTED.search(before):
        return "listed"
    if _BUDGET.search(before) or _BUDGET_AFTER.match(after):
        return "budget"
    if _REFUSED.search(clause):
        return "other"
    return "fee" if _FEE.search(before) else "ask"
