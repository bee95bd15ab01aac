"""What the buyer of Car Dealer understands of a seller's line, by rules: what is offered, asked, promised, conceded."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from lmrl.tasks.buyer.cars import FEATURES, mentions
from lmrl.tasks.buyer.prices import amounts

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_CLAUSE = re.compile(r"[,;:]|\bbut\b")


@dataclass(slots=True)
class Heard:
    """One line, understood; empty where nothing was."""

    brands: list[str] = field(default_factory=list)
    """Offered: said, not asked about nor denied."""
    types: list[str] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    """Features that a car is said not to have."""
    denied: bool = False
    """A brand or type is not to be had."""
    ask: int | None = None
    """The last price asked for the car, fees included."""
    off: float = 0.0
    """Dollars off the price."""
    share_off: float = 0.0
    """A share off the price, 0 to 1."""
    listed: int | None = None
    """What the car is said to list at."""
    asks: set[str] = field(default_factory=set)
    """What the buyer is asked for: wants, brand, type, features, budget."""
    acts: set[str] = field(default_factory=set)

    @property
    def understood(self) -> bool:
        """Whether the buyer could make anything of it."""
        named = self.brands or self.types or self.features or self.lacking or self.denied
        return bool(named or self.priced or self.asks or self.acts or self.listed is not None)

    @property
    def priced(self) -> bool:
        """Whether it moves or names a price."""
        return self.ask is not None or self.off > 0 or self.share_off > 0

    @property
    def kind(self) -> str:
        """What it mostly was, for statistics."""
        arms: Mapping[str, object] = {
            "agree": "agree" in self.acts,
            "discount": self.off or self.share_off,
            "price": self.ask is not None,
            "offer": self.brands or self.types,
            "feature": self.features or self.lacking,
            "question": self.asks,
            "close": "close" in self.acts,
            "talk": self.understood,
        }
        return next((kind for kind, holds in arms.items() if holds), "nothing")


def _has(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII).search


_YOU = r"\byou(?:r|'re)?\b"
_ACTS: Mapping[str, Callable[[str], object]] = {
    "greet": _has(
        r"\b(?:hi|hello|hey|welcome|good (?:morning|afternoon|evening|day)|greetings|(?:nice|pleased) to meet)\b"
    ),
    "hold": _has(
        r"\b(?:final|firm|non-?negotiable|as low as|lowest|best (?:price|offer|i can)|last (?:price|offer))\b|"
        r"\b(?:can't|cannot|can not|won't|unable to)\b.*\b(?:lower|less|below|under|discount|down|cheaper)\b"
    ),
    "gift": _has(
        r"\b(?:free|complimentary|throw in|include|extended|on the house)\b.*"
        r"\b(?:warranty|maintenance|service|mats|delivery|oil changes?|tires|insurance|car wash)\b"
    ),
    "pitch": _has(
        r"\b(?:reliab\w+|comfort\w*|safe(?:ty|st)?|warranty|fuel|mileage|mpg|engine|horsepower|test[- ]drive|resale|"
        r"spacious|best-?sell\w+|handling|quality|financ\w+|trade-?in|elegant|performance|interior|maintenance|"
        r"(?:great|fine|good|excellent|wonderful|beautiful|perfect) (?:car|choice|deal|price|value|vehicle))\b"
    ),
    "courtesy": _has(
        r"\b(?:thank you|thanks|sorry|i understand|i see|of course|certainly|take your time|excellent|i appreciate|"
        r"goodbye|bye|my pleasure|let me (?:check|see|show)|no problem|car|cars|vehicle|dealership|showroom)\b"
    ),
    "rude": _has(
        r"\b(?:idiot|stupid|moron|shut up|loser|dumb|cheapskate|get lost|fool|imbecile|ugly|jerk|"
        r"waste (?:of )?my time)\b"
    ),
    "vague": _has(
        r"\b(?:everything|anything|whatever|all|just what|exactly what|the very (?:thing|car)) "
        r"you(?:'re| are|'d| would)? ?(?:want|need|ask|wish|look|like|dream)|\b(?:perfect|dream|ideal|right) car\b"
    ),
}
_LOADED = _has(
    r"\b(?:fully loaded|fully equipped|(?:every|each) (?:feature|option|extra)|"
    r"all (?:of )?(?:the |these |those |our |possible )?(?:features|options|extras)|everything(?! you))\b"
)
_CLOSE = _has(
    r"\bdeal\?|\bdo we have\b|\bcan we (?:agree|close|shake)|\bshall we\b|\bready to (?:sign|buy|close)|"
    r"\bwill you take it|\bwould you (?:accept|take|agree)|\bwhat do you (?:say|think)|\b(?:is|does) that "
    r"(?:ok|okay|fair|acceptable|good|sound|work|suit)|\bsounds? (?:good|fair)|\bsign (?:today|now|here)|\bagreed\?"
)
_AGREE = _has(
    r"^(?:(?:ok|okay|all right|alright|fine|sure|yes|well|very well|great)[,.!]? )*"
    r"(?:(?:it's |it is )?a deal\b|deal\b|agreed|sold\b|(?:it|the car|she|he)(?:'s| is) yours(?! for| at)|"
    r"you(?:'ve| have)? got (?:a|yourself a|it)|i(?: can|'ll| will)? "
    r"(?:accept|take)(?: (?:that|it|your offer|your price))?\b(?! \$?[0-9])|we have a deal|i can do that|that works)"
)
_YES = _has(r"^(?:yes|yeah|yep|sure|of course|certainly|absolutely|indeed|it does|it has)\b")
_NO = _has(r"^(?:no\b(?!\s+problem)|nope|unfortunately|sorry|i'm afraid|it does not|it doesn't)")
_ASKS: Mapping[str, Callable[[str], object]] = {
    "budget": _has(
        r"\b(?:budget|spend|afford|price range)\b|\bhow much (?:can|could|do|would|are|were) you|\byou .*\bpay\b"
    ),
    "features": _has(
        r"\b(?:features?|options?|extras?|equipment|must-haves?|specifications?|specs|important|matters?)\b"
    ),
    "brand": _has(r"\b(?:brands?|makes?|manufacturers?)\b"),
    "type": _has(r"\b(?:types?|kinds?|body|bodies|styles?|sorts?|models?)\b"),
    "wants": _has(
        r"\b(?:help|looking for|look for|want|need|prefer|preference|in mind|search|after|dream|bring you|brings you|"
        r"assist|do for you|interested|wish|like)\b"
    ),
}
_ASKING = _has(
    r"^(?:(?:hi|hello|hey|welcome|so|and|well|great|ok|okay|thanks|first|now|then)[,.!]? )*"
    r"(?:what|which|do|does|did|are|is|have|how|who|where|why|tell me|please tell|could|can|may|would|"
    r"will|should|any)\b"
)
_OFFERING = _has(
    r"\b(?:how about|what about|show you|offer you|interested in (?:this|our|a|an|the)|would you (?:take|buy|accept)|"
    r"see (?:this|our|a|an|the)|see it|i have|i've|we have|we've|shall|what if|try (?:this|our|a|an|the))\b"
)
_DENIED = _has(
    r"\b(?:no|not|don't|doesn't|does not|do not|without|isn't|aren't|can't|cannot|never|lacks?|lacking|sold out|"
    r"out of stock|out of|hasn't|haven't)\b(?! only| just| problem| worries)"
)


@lru_cache(maxsize=20_000)  # scripted sellers repeat themselves
def understand(line: str) -> Heard:
    """What there is in a line. The record is shared: read it, do not change it."""
    heard = Heard()
    text = line.replace("\u2019", "'")
    for sentence in _SENTENCE.split(text):
        _hear(sentence.strip(), heard)
    return heard


def _hear(sentence: str, heard: Heard) -> None:
    if not sentence:
        return
    question = sentence.endswith("?") or bool(_ASKING(sentence) and "tell me" in sentence.lower())
    _hear_price(sentence, heard)
    offering = not question or _OFFERING(sentence) or heard.ask is not None
    if question and _ASKING(sentence) and not _OFFERING(sentence):
        heard.asks |= {what for what, holds in _ASKS.items() if holds(sentence)}
    if offering:
        _hear_offer(sentence, heard)
    elif any(mentions(kind, sentence) for kind in ("brand", "type")):
        heard.asks.add("wants")
    elif mentions("feature", sentence):
        heard.asks.add("features")
    _hear_acts(sentence, heard, question=question)


def _hear_price(sentence: str, heard: Heard) -> None:
    for role, value in amounts(sentence):
        if role == "ask":
            heard.ask = int(value)
        elif role == "listed":
            heard.listed = int(value)
        elif role == "off":
            heard.off += value
        elif role == "percent":
            heard.share_off = 1 - (1 - heard.share_off) * (1 - value / 100)
        elif role == "fee" and heard.ask is not None:
            heard.ask += int(value)


def _hear_offer(sentence: str, heard: Heard) -> None:
    for clause in _CLAUSE.split(sentence):
        denial = _DENIED(clause)
        after = denial.start() if isinstance(denial, re.Match) else len(clause)
        for kind, found in (("brand", heard.brands), ("type", heard.types)):
            for name, place in mentions(kind, clause):
                heard.denied |= place > after
                if place < after and name not in found:
                    found.append(name)
        for name, place in mentions("feature", clause):
            (heard.features if place < after else heard.lacking).add(name)
    if _LOADED(sentence) and not _DENIED(sentence):
        heard.features |= set(FEATURES)


def _hear_acts(sentence: str, heard: Heard, *, question: bool) -> None:
    heard.acts |= {act for act, holds in _ACTS.items() if holds(sentence)}
    if question and _CLOSE(sentence):
        heard.acts.add("close")
    elif not question and _AGREE(sentence):
        heard.acts.add("agree")
    if _YES(sentence):
        heard.acts.add("yes")
    if _NO(sentence):
        heard.acts.add("no")
