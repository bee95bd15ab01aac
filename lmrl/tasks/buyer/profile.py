"""Who the buyer of Car Dealer is, and what the seller has offered them so far."""

import random
from dataclasses import dataclass, replace

from lmrl.tasks.buyer.cars import ADJECTIVES, BRANDS, BUDGETS, FEATURES, PERSONALITIES, TYPES, Car, dollars
from lmrl.tasks.buyer.hearing import Heard


@dataclass(frozen=True, slots=True)
class Profile:
    """Who the buyer is: hidden from the seller."""

    personality: str
    brand: str
    type: str
    features: tuple[str, ...]
    budget: int

    @property
    def wanted(self) -> Car:
        """The car that they have come for."""
        return Car(self.brand, self.type, frozenset(self.features))

    @property
    def told(self) -> str:
        """The reference's line to its buyer.

        >>> Profile("polite", "a BMW", "SUV", ("sunroof", "heated seats"), 50000).told
        'Personality: polite. Prefers a BMW SUV with sunroof, heated seats. Budget: $50,000'
        """
        wants = f"{self.brand} {self.type} with {', '.join(self.features)}"
        return f"Personality: {self.personality}. Prefers {wants}. Budget: {dollars(self.budget)}"


def draw(rng: random.Random) -> Profile:
    """A buyer, drawn as the reference does.

    >>> draw(random.Random(0))
    Profile(personality='sarcastic', brand='a Tesla', type='truck', features=('third-row seating',), budget=90000)
    """
    personality, brand, kind = rng.choice(PERSONALITIES), rng.choice(BRANDS), rng.choice(TYPES)
    count = rng.randint(1, 4)
    return Profile(personality, brand, kind, tuple(rng.sample(FEATURES, count)), rng.choice(BUDGETS))


def fit(car: Car, wanted: Car) -> float:
    """How well a car is what is wanted, 0.3 to 1; more than one feature that nobody asked for count against it."""
    has = len(car.features & wanted.features) / len(wanted.features)
    extras = max(0, len(car.features - wanted.features) - 1)
    match = 0.35 * (car.brand == wanted.brand) + 0.35 * (car.type == wanted.type) + 0.3 * has
    return max(0.3, 0.3 + 0.7 * match - 0.05 * extras)


@dataclass(frozen=True, slots=True)
class Offered:
    """What the seller has said of the car so far."""

    brand: str | None = None
    type: str | None = None
    features: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether it is clear which car it is."""
        return self.brand is not None and self.type is not None

    def completed(self, wanted: Car) -> Car:
        """The car, with brand and type as wanted where nobody has named them, and all of it where nothing is named."""
        if self == Offered():
            return wanted
        return Car(self.brand or wanted.brand, self.type or wanted.type, self.features)

    def told(self, feature: str, *, has: bool) -> "Offered":
        """After an answer about a feature."""
        if has:
            return replace(self, features=self.features | {feature}, lacking=self.lacking - {feature})
        return replace(self, lacking=self.lacking | {feature}, features=self.features - {feature})

    def updated(self, heard: Heard, wanted: Car) -> "Offered":
        """After a line. Of several brands, or types, none is offered; another car has the features of that line."""
        brand = heard.brands[0] if len(heard.brands) == 1 else self.brand
        kind = _one_type(heard.types, wanted.type) or self.type
        lacking = heard.lacking - heard.features
        if self.is_another(Offered(brand, kind)):
            return Offered(brand, kind, frozenset(heard.features), frozenset(lacking))
        has = (self.features | heard.features) - lacking
        return Offered(brand, kind, has, (self.lacking | lacking) - heard.features)

    def is_another(self, other: "Offered") -> bool:
        """Whether the talk has gone to another car."""
        return bool((self.brand and self.brand != other.brand) or (self.type and self.type != other.type))

    def broken_by(self, heard: Heard, now: "Offered", wanted: Car, *, priced: bool) -> bool:
        """Whether the seller now says otherwise: of a feature, or with a worse car in place of one with a price."""
        if self.is_another(now):
            return priced and fit(now.completed(wanted), wanted) < fit(self.completed(wanted), wanted)
        return bool(self.features & (heard.lacking - heard.features) or self.lacking & heard.features)


def _one_type(types: list[str], wanted: str) -> str | None:
    """The type that is offered: `an electric SUV` is either, and taken for the wanted one if it can be."""
    nouns = [kind for kind in types if kind not in ADJECTIVES]
    if len(types) == 1 or len(types) == 2 and len(nouns) == 1:
        return wanted if wanted in types else (nouns or types)[0]
    return None
