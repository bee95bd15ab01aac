"""How a buyer of Car Dealer closes: the tag in a line, what it says, and what it pays."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from lmrl.dialogue import Scripted, Simulator
from lmrl.scoring import Score
from lmrl.tasks.buyer.cars import dollars

ASKED = "Output: Decision="
"""What the buyer is asked to complete at the horizon."""
_AMOUNT = r"\$([1-9][0-9,]{0,12})(?![0-9])"
_TAG = re.compile(rf"{ASKED}(Accept|Reject) MSRP={_AMOUNT}(?: Buy Price={_AMOUNT})?")
_HEAD = re.compile(r"decision[\s=]*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decision:
    """How a buyer closes."""

    bought: bool
    msrp: int
    price: int | None
    """None where nothing was bought, or no price was told."""


def decide(line: str) -> tuple[Decision | None, str]:
    """The decision in a buyer's line, if there is one, and the line without its tag.

    >>> decide("Deal. Output: Decision=Accept MSRP=$30,000 Buy Price=$27,500")
    (Decision(bought=True, msrp=30000, price=27500), 'Deal. ')
    """
    tag = _TAG.search(line)
    if not tag:
        return None, line
    bought, price = tag[1] == "Accept", tag[3]
    shown = line[: tag.start()] + line[tag.end() :]
    return Decision(bought, _dollars(tag[2]), _dollars(price) if bought and price else None), shown


def tagged(*, bought: bool, msrp: int, price: int | None) -> str:
    """The decision as LMRL-Gym's buyers write it.

    >>> tagged(bought=True, msrp=40000, price=36000)
    'Output: Decision=Accept MSRP=$40,000 Buy Price=$36,000'
    """
    head = f"{ASKED}{'Accept' if bought else 'Reject'} MSRP={dollars(msrp)}"
    return f"{head} Buy Price={dollars(price)}" if bought and price is not None else head


def _dollars(amount: str) -> int:
    return int(amount.replace(",", ""))


def untagged(line: str) -> str:
    """A seller's line as it reaches the buyer: nothing in it can be read as a tag, or completed to one."""
    return _HEAD.sub("Decision ", line)


MODES = ("revenue", "fancy")
REJECTS = ("capped", "published")


def reward(decision: Decision, budget: int, mode: str, reject: str) -> float:
    """What a decision pays.

    >>> reward(Decision(True, 40000, 36000), 50000, "fancy", "capped")
    0.8
    >>> reward(Decision(False, 80000, None), 50000, "fancy", "published")
    0.375
    """
    msrp, price = decision.msrp, decision.price
    if mode == "revenue":
        return (price or 0) / 1000 if decision.bought else 0.0
    if decision.bought or not msrp:
        return price / ((budget + msrp) / 2) if price and msrp else 0.0
    paid = (msrp - budget) / msrp
    return min(0.0, paid) if reject == "capped" else paid


def check(mode: str, reject: str) -> None:
    """Raises ValueError for a mode, or a way with refusals, that there is not."""
    for key, value, choices in (("mode", mode, MODES), ("reject", reject, REJECTS)):
        if value not in choices:
            raise ValueError(f"{key} = {value!r}: Car Dealer has {' and '.join(map(repr, choices))}")


_SCALES = {
    "revenue": Score(floor=0, mean=20.25, best=32.95),
    "fancy": Score(floor=-1, mean=0.31, best=0.575),
}
"""Selling nothing; the mean of the 5 000 dialogues; the best scripted seller, `skilled`, over 500 seeds."""


def score(*, mode: Literal["revenue", "fancy"]) -> Score:
    """A scale without a middle, since nobody has published one."""
    return replace(_SCALES[mode], mean=None)


def own_score(*, simulator: Simulator, mode: Literal["revenue", "fancy"]) -> Score | None:
    """The scale of the scripted buyer, version 1; none where another speaks."""
    return _SCALES[mode] if isinstance(simulator, Scripted) else None
