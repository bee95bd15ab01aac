"""Scripted sellers of Car Dealer: honest ones of graded skill, of whom demonstrations are made, and some who cheat."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lmrl.tasks.buyer.cars import (
    BRANDS,
    FEATURES,
    TYPES,
    Car,
    a_car,
    a_feature,
    dollars,
    known,
    listing,
    mentions,
    on_grid,
)
from lmrl.tasks.buyer.prices import amounts
from lmrl.tasks.buyer.speech import LINES, ended, pieces, worded

WORDS: Mapping[str, Sequence[str]] = known("cars_sellers.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a seller sells."""

    asks: tuple[str, ...]
    """What they ask before they offer a car."""
    matches: float
    """How often brand, type and features are those that the buyer has told; else any."""
    opens: tuple[float, float]
    """The first price, in list prices: from, to."""
    cut: tuple[float, float]
    """The share by which they lower the price: from, to."""
    settles: float
    """The share of their own price at which they take the buyer's."""
    closes: float
    """How often they ask for the decision with a new price."""
    fills: float
    """How often they praise, push or chat in place of bargaining."""
    fillers: tuple[str, ...]
    floor: float
    """In list prices: below that they do not go."""
    praises: int = 0
    """At most so often they praise the car before they name a price."""
    listens: bool = False
    """Whether they hear how far away the buyer is, and cut by that."""


STYLES: Mapping[str, Style] = {
    "pushy": Style(
        asks=("greet",),
        matches=0.85,
        opens=(0.9, 1.15),
        cut=(0.05, 0.12),
        settles=0.85,
        closes=0.4,
        fills=0.2,
        fillers=("push", "push", "pitch", "hold"),
        floor=0.3,
        praises=2,
    ),
    "patient": Style(
        asks=("greet", "ask_wants", "ask_features", "ask_budget"),
        matches=0.95,
        opens=(0.98, 1.05),
        cut=(0.03, 0.07),
        settles=0.9,
        closes=0.3,
        fills=0.25,
        fillers=("pitch", "gift"),
        floor=0.2,
        praises=1,
    ),
    "matching": Style(
        asks=("greet", "ask_wants", "ask_features"),
        matches=1.0,
        opens=(0.9, 1.0),
        cut=(0.05, 0.15),
        settles=0.8,
        closes=0.3,
        fills=0.25,
        fillers=("pitch", "gift", "pitch"),
        floor=0.3,
        praises=3,
    ),
    "careless": Style(
        asks=("greet", "chat"),
        matches=0.6,
        opens=(0.6, 1.2),
        cut=(0.04, 0.25),
        settles=0.6,
        closes=0.2,
        fills=0.3,
        fillers=("chat", "pitch", "push", "gift"),
        floor=0.1,
        praises=3,
    ),
    "skilled": Style(
        asks=("ask_wants", "ask_features", "ask_budget"),
        matches=1.0,
        opens=(0.96, 0.96),
        cut=(0.1, 0.1),
        settles=0.97,
        closes=1.0,
        fills=0.0,
        fillers=("pitch",),
        floor=0.0,
        listens=True,
    ),
}
"""The last is the best honest one, and no part of the demonstrations."""


def _heard_as(*moves: str) -> Callable[[str], object]:
    """Whether a buyer's line makes one of some moves, by its wordings."""
    said = {
        piece.strip() for move in moves for texts in LINES[move].values() for text in texts for piece in pieces(text)
    }
    return re.compile("|".join(re.escape(piece) for piece in sorted(said) if len(piece) > 4)).search


_IS_FAR = _heard_as("far_too_high")
_IS_SOFT = _heard_as("discount", "other_dealer", "hesitate")
_ASKS_FEATURE = _heard_as("ask_feature")


class Seller:
    """One seller in one conversation."""

    def __init__(self, style: Style, rng: random.Random) -> None:
        self._style, self._rng = style, rng
        self._questions = list(style.asks)
        self._praises = int(rng.random() * (style.praises + 1))
        self._wants: dict[str, str] = {}
        self._features: list[str] = []
        self._budget: int | None = None
        self._car: Car | None = None
        self._ask: int | None = None
        self._bid: int | None = None
        self._asked: str | None = None
        self._last = ""
        self._told = ""

    def say(self, told: str) -> str:
        """The next line."""
        self._told = told
        self._listen(told)
        self._last, line = self._next()
        return line + "\n"

    def _listen(self, told: str) -> None:
        for kind in ("brand", "type"):
            for name, _ in mentions(kind, told):
                self._wants[kind] = name
        features = [name for name, _ in mentions("feature", told)]
        self._asked = features[0] if features and self._car and _ASKS_FEATURE(told) else None
        self._features += [name for name in features if name not in self._features]
        for role, value in amounts(told):
            if self._last == "ask_budget":
                self._budget = int(value)
            elif self._ask and value < self._ask and role in ("ask", "listed", "budget"):
                self._bid = int(value)

    def _worded(self, move: str, **fields: str) -> tuple[str, str]:
        return move, worded(WORDS[move], self._rng, fields)

    def _next(self) -> tuple[str, str]:
        chance, style = self._rng.random, self._style
        if self._asked and self._car:
            return self._promise(self._asked)
        while self._questions:
            question = self._questions.pop(0)
            if not (question == "ask_wants" and len(self._wants) == 2):
                return self._worded(question)
        if not self._car or self._should_switch():
            return self._offer()
        if self._ask is None and self._praises:
            self._praises -= 1
            return self._worded("pitch")
        if self._ask is None:
            return self._quote("quote", self._first_price())
        if self._bid and self._bid >= style.settles * self._ask:
            return self._worded("agree")
        if chance() < style.fills:
            move = style.fillers[int(chance() * len(style.fillers))]
            return self._worded(move, price=dollars(self._ask))
        return self._concede()

    def _promise(self, feature: str) -> tuple[str, str]:
        assert self._car
        if self._rng.random() < self._style.matches:
            self._car = Car(self._car.brand, self._car.type, self._car.features | {feature})
            return self._worded("yes", feature=a_feature(feature))
        return self._worded("no", feature=a_feature(feature))

    def _should_switch(self) -> bool:
        assert self._car
        other = any(
            self._wants.get(kind, getattr(self._car, kind)) != getattr(self._car, kind) for kind in ("brand", "type")
        )
        return other and bool(mentions("brand", self._told)) and self._rng.random() < self._style.matches

    def _offer(self) -> tuple[str, str]:
        rng, matches, switching = self._rng, self._style.matches, self._car is not None
        chosen = {
            kind: self._wants[kind]
            if kind in self._wants and (switching or rng.random() < matches)
            else rng.choice(every)
            for kind, every in (("brand", BRANDS), ("type", TYPES))
        }
        features = [f for f in self._features if rng.random() < matches] or rng.sample(FEATURES, int(rng.random() * 3))
        self._car, self._ask, self._bid = Car(chosen["brand"], chosen["type"], frozenset(features)), None, None
        name = a_car(chosen["brand"], chosen["type"])
        if not features and rng.random() < 0.5:
            return self._quote("offer_quote", self._first_price(), a_car=name)
        if features:
            return self._worded("offer_with", a_car=name, features=listing(features))
        return self._worded("offer", a_car=name)

    def _first_price(self) -> int:
        assert self._car
        price = self._car.listed * self._rng.uniform(*self._style.opens)
        return on_grid(min(price, self._budget) if self._budget and self._style.matches > 0.9 else price)

    def _quote(self, move: str, price: int, **fields: str) -> tuple[str, str]:
        self._ask = price
        return self._worded(move, price=dollars(price), **fields)

    def _concede(self) -> tuple[str, str]:
        """Lower the price, or hold it at the floor."""
        assert self._car is not None
        assert self._ask is not None
        price = on_grid(max(self._target(), self._style.floor * self._car.listed, self._bid or 0))
        if self._bid and price <= self._bid:
            return self._worded("agree")
        if price >= self._ask and not self._style.listens:
            return self._worded("hold", price=dollars(self._ask))
        return self._quote("close" if self._rng.random() < self._style.closes else "lower", price)

    def _target(self) -> float:
        assert self._ask
        cut = self._rng.uniform(*self._style.cut)
        if not self._style.listens:
            return min(self._ask - 500, self._ask * (1 - cut))
        if _IS_SOFT(self._told):
            return self._ask * 0.99
        guess = self._bid / 0.8 if self._bid else self._ask
        return min(guess, self._ask * (0.8 if _IS_FAR(self._told) else 1 - cut))


def phrases() -> Iterator[str]:
    """Texts of the sellers worth a token each."""
    for texts in WORDS.values():
        yield from ended(texts)
