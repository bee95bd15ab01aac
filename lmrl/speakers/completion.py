"""Conversations to be continued: what is asked, how an OpenAI-compatible server answers, and what that costs."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from lmrl.dialogue import heard

LONGEST_PAUSE = 20.0
"""Seconds between two attempts, unless the server asks for more."""
PATIENCE = 300.0
"""Seconds that a server may ask to be left alone."""
PASSING = (408, 409, 425, 429)
"""Statuses below 500 that may be gone at the next attempt."""


@dataclass(frozen=True, slots=True)
class Message:
    """A turn of a conversation; role: system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A conversation to be continued."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    """0: the likeliest tokens, whatever the seed."""
    seed: int = 0
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these texts."""


class EndpointError(OSError):
    """An endpoint does not answer, or not as it should, in a line for whoever runs the program."""


class Passing(Exception):
    """An attempt failed in a way that may pass; `after`: seconds that the server asks for."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Meter:
    """Tokens spent of those that may be, None being no limit. What is under way counts as it is estimated."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._promised = 0
        self.spent = 0

    def promise(self, tokens: int) -> None:
        """Take note of a request to be sent. Raises EndpointError if it might pass the limit."""
        if self._limit is not None and self.spent + self._promised + tokens > self._limit:
            rest = f"{self.spent} are spent, {self._promised + tokens} more may be by what is asked now"
            mend = "raise max_tokens_total (null: no limit) and start again: a cache keeps what was answered"
            raise EndpointError(f"max_tokens_total = {self._limit}: {rest}; {mend}")
        self._promised += tokens

    def settle(self, promised: int, spent: int) -> None:
        """What became of a promise."""
        self._promised -= promised
        self.spent += spent


def estimate(body: Mapping[str, Any]) -> int:
    """Tokens that a request may cost: four characters are one, and a message has a few around it."""
    most = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return sum(4 + len(m["content"]) // 4 for m in body["messages"]) + int(most)


def cost(text: str, body: Mapping[str, Any]) -> int:
    """Tokens that an answered request cost: as the reply's `usage` tells, else as estimated."""
    usage = _at(_parsed(text), "usage")
    parts = [_at(usage, name) for name in ("prompt_tokens", "completion_tokens")]
    for count in (_at(usage, "total_tokens"), sum(part for part in parts if isinstance(part, int))):
        if isinstance(count, int) and count > 0:
            return count
    return estimate(body)


def read_completion(text: str, body: Mapping[str, Any]) -> str:
    """What a reply says.

    Raises Passing if it is no completion, EndpointError if the model was cut off before it said anything.
    """
    choice = _at(_at(_parsed(text), "choices"), 0)
    said, ended = _at(_at(choice, "message"), "content"), _at(choice, "finish_reason")
    if ended == "length" and not (isinstance(said, str) and said.strip()):
        most = f"all of its max_tokens = {body.get('max_tokens')} went before it said anything"
        raise EndpointError(f"model = {body['model']}: {most}, into thinking perhaps; grant it more")
    if not isinstance(said, str):
        raise Passing(f"no completion but {heard(text, 100)!r}")
    return said


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _at(tree: object, place: str | int) -> object:
    """A part of what a server sent, None where there is none.

    >>> _at({"a": [1]}, "a"), _at([1], 0), _at([], 0), _at("text", "a")
    ([1], 1, None, None)
    """
    if isinstance(place, str):
        return tree.get(place) if isinstance(tree, dict) else None
    return tree[place] if isinstance(tree, list) and len(tree) > place else None


def complaint(body: object, text: str) -> str:
    """What a server says of an error: {"message": …}, as the client hands it over, {"error": {"message": …}}, or all.

    >>> complaint({"error": {"message": "no such model"}}, ""), complaint(None, "not found")
    ('no such model', 'not found')
    """
    told = _at(body, "message") or _at(_at(body, "error"), "message")
    return told if isinstance(told, str) else text


def pause(attempt: int, after: float) -> float:
    """Seconds to wait after a failed attempt, the first being 0: twice as long each time, and never all at once."""
    backoff = min(0.5 * 2.0**attempt, LONGEST_PAUSE) * random.SystemRandom().uniform(0.5, 1)
    return max(backoff, min(after, PATIENCE))


def seconds(asked: str | None) -> float:
    """A Retry-After: seconds or a date.

    >>> seconds("1.5"), seconds("soon"), seconds("Wed, 21 Oct 2015 07:28:00 GMT"), seconds(None)
    (1.5, 0.0, 0.0, 0.0)
    """
    try:
        return max(float(asked or 0), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(asked or "").timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def cut(text: str, stops: Sequence[str]) -> str:
    """The text before the first of `stops`.

    >>> cut("Yes. It is. No", ("No", "It"))
    'Yes. '
    """
    return text[: min([len(text), *(at for stop in stops if (at := text.find(stop)) >= 0)])]
