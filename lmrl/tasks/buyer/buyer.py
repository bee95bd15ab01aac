"""The scripted buyer of Car Dealer: what the wanted car is worth to whom, how they bargain, and when they decide.

A buyer takes at most `limit` for a car: what it is worth, the list price of the offered car or a quarter over that of
the wanted one, whichever is less, and never more than the budget; less, the less it fits (brand, type, features), and
by a share that the seed draws. How the seller behaves moves it: up where somebody asked before naming a price and
concedes little by little, down where somebody lies, insults or plays with the list price.

Of a price within the limit only a part is taken at once. The rest is bargained for, and with each round the buyer comes
nearer to the limit, while patience goes: for prices beyond it, for repeating, for what cannot be understood.
"""

import random

from lmrl.dialogue import Reply
from lmrl.tasks.buyer.cars import CHARACTERS, Car, a_car, a_feature, dollars, listing, on_grid
from lmrl.tasks.buyer.decision import ASKED, tagged
from lmrl.tasks.buyer.hearing import Heard, understand
from lmrl.tasks.buyer.profile import Offered, Profile, fit
from lmrl.tasks.buyer.speech import speak

TOPICS = {"wants": "wants", "brand": "wants", "type": "wants", "features": "features", "budget": "budget"}
"""What a question is about, by what was asked for."""
_ALIEN = 1.2
"""A list price that is this many times the true one, or the true one this many times it, is a lie."""
_JOKE = 500
"""Dollars below which a price is none."""


class Buyer:
    """One buyer in one conversation."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self.profile, self._character = profile, CHARACTERS[profile.personality]
        self._rng = rng = random.Random(f"buyer {seed}")
        self._share, self._low = rng.uniform(0.84, 1.0), rng.uniform(0.62, 0.82)
        self.patience = self._character.patience + rng.uniform(-1, 1)
        self.manner = 1.0
        self.offered = Offered()
        self.ask: int | None = None
        self.bid: int | None = None
        self._rounds = self._turns = self._cuts = self._gifts = self._complaints = 0
        self._told, self._said = set[str](), set[str]()
        self._fields = {"wanted": a_car(profile.brand, profile.type), "features": listing(profile.features)}
        self._feature: str | None = None
        """The one that was just asked about."""
        self._more = 0
        """What the last line added to the list price."""

    @property
    def car(self) -> Car:
        """The car that is talked about; as long as nobody has named it, the one that they want."""
        return self.offered.completed(self.profile.wanted)

    @property
    def limit(self) -> float:
        """The most they pay for that car now, in dollars."""
        car, wanted = self.car, self.profile.wanted
        worth = min(self.profile.budget, car.listed, 1.25 * wanted.listed)
        return min(self.profile.budget, car.listed, worth * max(0.3, self.manner) * self._share * fit(car, wanted))

    def hear(self, line: str) -> Reply:
        """What they answer to a line, with the tag where that is their decision."""
        heard = understand(line)
        self._turns += 1
        self.patience -= 0.15
        moves = self._react(heard, line) if heard.understood else self._puzzled(line)
        if self.patience <= 0 and moves != ["deal"]:
            moves = ["leave"]
        self._said.add(line)
        text = speak(self.profile.personality, moves[:3], self._rng, self._fields)
        if moves[0] in ("deal", "leave"):
            text += self._tag(bought=moves == ["deal"])
        return Reply(text, {"understood": heard.understood, "kind": heard.kind})

    def last_word(self) -> Reply:
        """Their decision when they are asked for it, as what completes `Output: Decision=`."""
        bought = self.offered.known and self.ask is not None and self.ask <= self.limit
        return Reply(self._tag(bought=bought).removeprefix(ASKED))

    def _tag(self, *, bought: bool) -> str:
        return tagged(bought=bought, msrp=self.car.listed, price=self.ask if bought else None)

    def _loses(self, patience: float, manner: float = 0.0) -> None:
        self.patience -= patience
        self.manner -= manner

    def _puzzled(self, line: str) -> list[str]:
        self._loses(1.0)
        return ["again" if line and line in self._said else "confused" if line else "silence"]

    def _react(self, heard: Heard, line: str) -> list[str]:
        moves: list[str] = []
        if line in self._said and not ("agree" in heard.acts and self.bid):
            self._loses(1.0)
            moves = ["again"]
        if "rude" in heard.acts:
            self._loses(1.0, 0.08)
            moves = ["hurt"]
        before, listed = self.offered, self.car.listed
        moves += self._look(heard)
        self._more = max(0, self.car.listed - listed) if before.known else 0
        if self._haggles(heard, answered=self.offered != before):
            verdict = self._judge(heard, closing=bool(heard.acts & {"close", "agree"}))
            return verdict if verdict == ["deal"] else [*moves, *self._answer(heard), *verdict]
        return [*moves, *self._answer(heard)] or self._lead(heard)

    def _look(self, heard: Heard) -> list[str]:
        """See which car it is now; what they object to."""
        before, asked = self.offered, self._feature
        if asked and heard.acts & {"yes", "no"}:
            self.offered = before.told(asked, has="yes" in heard.acts)
        self._feature = None
        self.offered = self.offered.updated(heard, self.profile.wanted)
        moves = []
        if before.broken_by(heard, self.offered, self.profile.wanted, priced=self.ask is not None):
            self._loses(1.5, 0.1)
            moves.append("contradict")
        if before.is_another(self.offered):
            self.ask = self.bid = None
        if heard.listed and not 1 / _ALIEN < heard.listed / self.car.listed < _ALIEN:
            self._loses(1.0, 0.1)
            moves.append("doubt")
        return moves

    def _answer(self, heard: Heard) -> list[str]:
        """Tell what is asked; being asked counts in the seller's favour, before there is a price."""
        asks = heard.asks - {"wants"} if heard.asks & {"features", "budget"} else heard.asks
        topics = {TOPICS[what] for what in asks}
        if "wants" in topics and "wants" in self._told and len(topics) == 1:
            topics = {"features"}
        for topic in topics:
            new = topic not in self._told
            self._loses(0.0 if new else 0.6, -0.04 if new and topic != "budget" and self.ask is None else 0.0)
        self._told |= topics
        moves = [topic for topic in ("wants", "features") if topic in topics]
        return moves + ([self._money()] if "budget" in topics else [])

    def _money(self) -> str:
        candid = self._character.candid
        self._fields["price"] = dollars(on_grid(self.profile.budget * (0.9 if candid == "low" else 1)))
        return "budget_kept" if candid == "kept" else "budget_told"

    def _haggles(self, heard: Heard, *, answered: bool) -> bool:
        """Whether there is a price to judge: a new one, or one that stands, with something new to it."""
        new = answered or bool(heard.acts & {"close", "agree", "hold", "gift"})
        return heard.priced or (self.ask is not None and new)

    def _price(self, heard: Heard) -> int | None:
        """What is asked now."""
        if heard.ask is not None:
            return heard.ask
        if heard.off or heard.share_off:
            base = heard.listed or self.ask or (self.car.listed if self.offered.known else None)
            return base and max(0, round((base - heard.off) * (1 - heard.share_off)))
        return self.bid if "agree" in heard.acts and self.bid else self.ask

    def _judge(self, heard: Heard, *, closing: bool) -> list[str]:
        """Take the price, or object to it."""
        price, before = self._price(heard), self.ask
        if price is not None and price < _JOKE:
            self._loses(1.0)
            return ["joke"]
        self.ask = price
        if not self.offered.known or price is None:
            self._loses(0.5)
            return ["ask_car"]
        self._gifts += "gift" in heard.acts
        if before is not None and price > before + self._more:
            self._loses(2.0, 0.1)
            self._fields["price"] = dollars(before)
            return ["raised"]
        self._note_cut(before, price)
        return self._verdict(price, closing=closing)

    def _note_cut(self, before: int | None, price: int) -> None:
        if before is None:
            return
        if price < 0.75 * before:
            self._rounds = max(0, self._rounds - 2)  # there seems to be much more in it
        elif price < before and self._cuts < 4:
            self._cuts += 1
            self.manner += 0.012
        elif price == before:
            self._loses(0.3)

    def _verdict(self, price: int, *, closing: bool) -> list[str]:
        limit = self.limit
        eager = 0.03 * self._rounds + 0.01 * min(2, self._gifts) + 0.05 * closing
        self._rounds += 1
        if price <= limit * min(1.0, self._character.firm + eager) or price == self.bid:
            return ["deal"]
        missing = self._missing()
        if missing and not closing and self._rounds == 1:
            return [missing]
        self._loses(0.5 if price <= limit else min(2.0, 0.4 * closing + 0.8 * (price / limit) ** 1.5))
        if price > 1.8 * limit:  # who is asked so much offers less
            self.manner -= 0.03
            self._low -= 0.1
        return [self._objection(price / limit), *self._counter(price, limit)]

    def _objection(self, ratio: float) -> str:
        if ratio > 1 and self._complaints < 2 and self._is_wrong():
            self._complaints += 1
            return "mismatch"
        if ratio > 1.05:
            return "far_too_high" if ratio > 1.5 else "too_high"
        return self._rng.choice(("discount", "other_dealer", "hesitate"))

    def _counter(self, price: int, limit: float) -> list[str]:
        if self._rounds == 1 and self._rng.random() < 0.5:
            return []
        bid = int(limit * min(0.97, self._low + 0.06 * (self._rounds - 1)) // 500 * 500)
        if not _JOKE <= bid < price:
            return []
        self.bid = bid
        self._fields["price"] = dollars(bid)
        return ["bid"]

    def _is_wrong(self) -> bool:
        car = self.car
        return (car.brand, car.type) != (self.profile.brand, self.profile.type)

    def _missing(self) -> str | None:
        """Ask, once, for a feature that nobody has spoken of, if there is one."""
        spoken_of = self.offered.features | self.offered.lacking | self._told
        self._feature = next((feature for feature in self.profile.features if feature not in spoken_of), None)
        if self._feature is None:
            return None
        self._told.add(self._feature)
        self._fields["feature"] = a_feature(self._feature)
        return "ask_feature"

    def _ask_price(self) -> str:
        self._loses(0.3 if "price" in self._told else 0.0)
        self._told.add("price")
        return "ask_price"

    def _lead(self, heard: Heard) -> list[str]:
        """Bring the talk on, where the seller did not."""
        if self.offered.known and self.ask is None:
            if self._is_wrong() and self._complaints < 1:
                self._complaints += 1
                return ["mismatch"]
            return [self._missing() or self._ask_price()]
        if self._turns == 1:
            return ["wants"] if self._character.tells else ["greet"]
        self._loses(0.5)
        if self.ask is not None:
            return ["listen", "hesitate"]
        return ["listen", "ask_car"]
