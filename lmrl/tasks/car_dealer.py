r"""Car Dealer: sell a car to somebody whose taste, temper and budget are hidden, for as much as they will pay.

    Start
    Hello, what kind of car are you looking for?
    I would like a BMW SUV, please.
    I have a BMW SUV for $60,000.
    I am afraid that is above what I can pay. Could we agree on $46,000?
    I can let you have it for $52,500.
    We have a deal, with pleasure.

The agent is the seller and speaks first. The buyer ends the talk with a tag that is cut out of what is shown:
`Output: Decision=Accept MSRP=$62,000 Buy Price=$52,500`, or `Decision=Reject` with the list price alone. Only then is
there a reward: by `mode="revenue"` the price in thousands of dollars, nothing without a sale; by `"fancy"` the price
over the mean of budget and list price, and -(budget - list price)/list price without a sale. `info["success"]` tells
whether the car was bought. After `horizon` lines of the seller the buyer is asked for the decision, and that holds.

Hidden buyers, texts, rewards and ends are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Departures, with the
reference's file:

- There the buyer was a language model alone. Here rules may speak for it (`buyer.py`), with list prices of our own
  (`knowledge/cars_prices.csv`); to a language model the prompt is the reference's.
- `car_dealer/env/env.py:65-85`: at the horizon the tag was searched for without its head, which had been in the prompt,
  so that nobody ever bought then; and no blank stood before it. Both are mended.
- `car_dealer/env/env.py:254-261`: a seed did not fix the buyer of a batch. Here it fixes all that is drawn.
- A refused car that lists above the budget paid, so that whoever showed the poor the dearest car earned by being turned
  away. `reject="capped"` (our default) pays nothing for that, `"published"` what it did.
- A seller could say the tag, or its head, and a language model might have gone on from there. Here no prompt holds a
  seller's `Decision=`; the equals sign is dropped.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lmrl.dialogue import Ask, Dialogue, Reply, Scripted, Simulator, Talk, heard
from lmrl.kinds import Count, Share
from lmrl.rollout import converse
from lmrl.task import Start, Step
from lmrl.tasks.buyer import sellers
from lmrl.tasks.buyer import speech as buyer_speech
from lmrl.tasks.buyer.buyer import Buyer
from lmrl.tasks.buyer.cars import BRANDS, BUDGETS, FEATURES, PERSONALITIES, TYPES
from lmrl.tasks.buyer.decision import ASKED, Decision, check, decide, reward, untagged
from lmrl.tasks.buyer.profile import Profile, draw
from lmrl.trajectory import Trajectory, Turn, checked, numbered, read_records

HEADER = "Start\n"
LIMIT = 600
"""Characters that the buyer hears of a line."""
_LONGEST = 2000
"""Characters that are read of a buyer's."""


class CarDealer(Dialogue):
    r"""One buyer after another.

    >>> from lmrl.dialogue import Scripted
    >>> shop = CarDealer(simulator=Scripted(), mode="revenue", reject="capped", horizon=25)
    >>> wants = {"personality": "polite", "brand": "a BMW", "type": "SUV", "features": ["sunroof"], "budget": 90000}
    >>> shop.reset(seed=0, options={"buyer": wants})
    'Start\n'
    >>> step = shop.step("I have a BMW SUV with a sunroof for $50,000.\n")
    >>> step.reward, step.info["success"]
    (50.0, True)
    """

    def __init__(
        self,
        *,
        simulator: Simulator,
        mode: Literal["revenue", "fancy"],
        reject: Literal["capped", "published"],
        horizon: Count,
    ) -> None:
        """`horizon`: lines of the seller after which the buyer must decide."""
        check(mode, reject)
        self.simulator = simulator
        self._mode, self._reject, self._horizon = mode, reject, horizon
        self._buyer: Buyer | None = None
        self._lines: list[str] = []
        self._seed = 0

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Let a buyer in whom the seed draws, or of whom options {"buyer": {"budget": 90000}} tells some or all."""
        profile = overruled(draw(random.Random(seed)), options or {})
        self._buyer, self._lines, self._seed = Buyer(profile, seed), [], seed
        return HEADER

    def talk(self, action: str) -> Talk:
        """Answer the seller."""
        buyer = self._buyer
        if buyer is None:
            raise RuntimeError("Car Dealer has no buyer: call reset before the first line and after the end")
        whole = heard(action, LIMIT + 1)
        line = untagged(whole[:LIMIT])
        info = {} if whole and len(whole) <= LIMIT else {"invalid_action": True}
        self._lines.append(line)
        reply = yield self._ask("", partial(_given, buyer.hear(line)))
        decision, shown = decide(heard(reply.text, _LONGEST))
        self._lines.append(shown)
        if "understood" in reply.info:
            info["understood"] = bool(reply.info["understood"])
        if decision is None and len(self._lines) >= 2 * self._horizon:
            last = yield self._ask(ASKED, buyer.last_word)
            completed = heard(last.text, _LONGEST)
            decision = decide(f"{ASKED}{completed}")[0] or decide(completed)[0]
            return self._end(decision, shown, info)
        return Step(f"{shown}\n", info=info) if decision is None else self._end(decision, shown, info)

    def _ask(self, begun: str, scripted: Any) -> Ask:
        assert self._buyer is not None
        talk = "".join(f"{line}\n" for line in self._lines)
        if begun:
            talk = f"{talk[:-1]} {begun}"
        prompt = f"{HEADER}{self._buyer.profile.told}\n{talk}"
        seed = self._seed * 1024 + len(self._lines) + bool(begun)
        return Ask(prompt=prompt, scripted=scripted, seed=seed, sample=True, max_new_tokens=128, read=_first_line)

    def _end(self, decision: Decision | None, shown: str, info: Mapping[str, Any]) -> Step:
        assert self._buyer is not None
        profile, self._buyer = self._buyer.profile, None
        paid = reward(decision, profile.budget, self._mode, self._reject) if decision else 0.0
        hidden = asdict(profile) | {"features": [*profile.features]}
        outcome: dict[str, Any] = {"success": decision is not None and decision.bought, "buyer": hidden}
        outcome |= {"msrp": decision.msrp, "price": decision.price} if decision else {}
        return Step(f"{shown}\n", paid, done=True, truncated=decision is None, info={**info, **outcome})


def _given(reply: Reply) -> Reply:
    return reply


def _first_line(said: str) -> str:
    return said.strip().partition("\n")[0].strip()


_CHOICES: Mapping[str, Sequence[Any]] = {
    "personality": PERSONALITIES,
    "brand": BRANDS,
    "type": TYPES,
    "features": FEATURES,
    "budget": BUDGETS,
}


def overruled(profile: Profile, options: Mapping[str, Any]) -> Profile:
    """A profile with what options {"buyer": …} say. Raises ValueError naming the key, the value and what there is."""
    for key in options.keys() - {"buyer"}:
        raise ValueError(f"options.{key} = {options[key]!r}: Car Dealer takes only 'buyer'")
    wishes = options.get("buyer", {})
    if not isinstance(wishes, Mapping):
        raise ValueError(f"options.buyer = {wishes!r}: an object is needed, with some of {', '.join(_CHOICES)}")
    for key, value in wishes.items():
        if key not in _CHOICES:
            raise ValueError(f"options.buyer.{key} = {value!r}: a buyer has {', '.join(_CHOICES)}")
        if not _is_choice(key, value):
            few = "some, each once, of " if key == "features" else "one of "
            raise ValueError(f"options.buyer.{key} = {value!r}: {few}{', '.join(map(str, _CHOICES[key]))} is needed")
    known = dict(wishes) | ({"features": tuple(wishes["features"])} if "features" in wishes else {})
    return replace(profile, **known)


def _is_choice(key: str, value: Any) -> bool:
    if key != "features":
        return type(value) in (str, int) and value in _CHOICES[key]
    listed = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return listed and 0 < len(value) == len(set(value)) and set(value) <= set(FEATURES)


def read_reference(
    path: Path, *, mode: Literal["revenue", "fancy"], reject: Literal["capped", "published"]
) -> Iterator[Trajectory]:
    """Read the reference's conversations, as a seller has them: one list, lists by personality, or JSON lines.

    Lines of one speaker that follow each other become one: the seller's as there, by a blank; the buyer's as they stand
    in the history. Raises ValueError naming the file, the conversation and the reason.
    """
    check(mode, reject)
    make = partial(_conversation, mode=mode, reject=reject)
    for place, rows in _documents(path):
        yield from numbered(f"{path}, {place}conversation", enumerate(rows, 1), make)


def _documents(path: Path) -> Iterator[tuple[str, list[Any]]]:
    """Lists of conversations, each with what to call its place."""
    try:
        whole = json.loads(path.read_bytes())
    except ValueError:  # not one document, so one a line; which line is none, its reader says
        yield "", [*read_records(path, lambda row: row)]
        return
    if isinstance(whole, dict) and "lines" not in whole:
        for personality, rows in whole.items():
            if not isinstance(rows, list):
                raise ValueError(
                    f"{path}: {personality!r} holds {type(rows).__name__}, a list of conversations is needed"
                )
            yield f"{personality}, ", rows
    else:
        yield "", whole if isinstance(whole, list) else [whole]


def _conversation(row: Any, *, mode: str, reject: str) -> Trajectory:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with buyer_info, lines and output, not {type(row).__name__}")
    turns = _spoken(row["lines"])
    if len(turns) < 2:
        raise ValueError("the seller never speaks")
    output = row.get("output")
    decision = None if output is None else _decided(output)
    budget = _whole(row["buyer_info"]["budget"], "buyer_info.budget")
    last = max(i for i, turn in enumerate(turns) if turn.is_action)
    if decision is not None:
        turns[last] = replace(turns[last], reward=reward(decision, budget, mode, reject))
    bad = sum(turn.is_action and not turn.text.strip() for turn in turns)
    info = {"success": bool(decision and decision.bought), "invalid_actions": bad, "buyer": row["buyer_info"]}
    return checked(Trajectory(tuple(turns), decision is not None, info))


def _spoken(lines: Any) -> list[Turn]:
    if not isinstance(lines, list):
        raise ValueError("lines: a list of objects with role and text is needed")
    turns = [Turn(HEADER, False)]
    for line in lines:
        role, text = line["role"], line["text"]
        if role not in ("Seller", "Buyer") or not isinstance(text, str):
            raise ValueError(f"role {role!r}: Seller or Buyer is needed, and a text; not {text!r}")
        said, acts, last = " ".join(text.split()), role == "Seller", turns[-1]
        if acts is not last.is_action:
            turns.append(Turn(f"{said}\n", acts))
        else:
            turns[-1] = Turn(f"{last.text[:-1]} {said}\n" if acts else f"{last.text}{said}\n", acts)
    return turns


def _decided(output: Any) -> Decision:
    bought, price = output["car_bought"], output.get("buy_price")
    if not isinstance(bought, bool):
        raise ValueError(f"output.car_bought = {bought!r}: true or false is needed")
    msrp = _whole(output["msrp"], "output.msrp")
    return Decision(bought, msrp, _whole(price, "output.buy_price") if bought and price is not None else None)


def _whole(value: Any, key: str) -> int:
    if type(value) is not int or not 0 <= value < 10**12:
        raise ValueError(f"{key} = {value!r}: a whole number of dollars is needed")
    return value


def phrases() -> list[str]:
    """Texts worth a token each: what buyers and sellers say between names and amounts, and these."""
    texts = [HEADER, "\n", ".\n", "!\n", "?\n", *buyer_speech.phrases(), *sellers.phrases()]
    return list(dict.fromkeys(texts))


def demonstrations(
    episodes: int,
    seed: int,
    *,
    mode: Literal["revenue", "fancy"],
    reject: Literal["capped", "published"],
    horizon: Count,
    pushy: Share,
    patient: Share,
    matching: Share,
    careless: Share,
) -> Iterator[Trajectory]:
    """Let scripted sellers of four kinds sell to scripted buyers; the shares are relative to their sum."""
    rng = random.Random(seed)
    shares = {"pushy": pushy, "patient": patient, "matching": matching, "careless": careless}
    env = partial(CarDealer, simulator=Scripted(), mode=mode, reject=reject, horizon=horizon)
    for _ in range(episodes):
        (kind,) = rng.choices([*shares], [*shares.values()])
        start = Start(rng.getrandbits(32))
        seller = sellers.Seller(sellers.STYLES[kind], random.Random(f"seller {start.seed}"))
        yield converse(env, seller, start, max_turns=horizon)
