"""Language models and endpoints that speak for the other side, asked with the published prompts."""

import json
from collections.abc import Sequence

from lmrl.dialogue import Ask, Reply, heard
from lmrl.speakers.completion import Message, Request
from lmrl.speakers.endpoint import Endpoint
from lmrl.speakers.generation import TextGenerator

LONGEST = 2000
"""Characters of a reply that an environment hears."""


class LanguageSimulator(TextGenerator):
    """A model of `transformers`; a reply is what it says up to the end of the line."""

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        """Answer all questions in one batch. Raises ValueError if the model cannot be had."""
        return _replies(asks, self.complete([_request(ask, stop=("\n",)) for ask in asks]))

    def describe(self, version: int) -> str:
        """`lm flan-t5-xl 4f2a…`: which model with which weights; the version of the scripted rules does not matter."""
        return f"lm {self.identity()}"


class EndpointSimulator(Endpoint):
    """A model behind an endpoint; a reply is the first line that says something.

    It is not told to stop at the end of a line, since some models begin with one, and others think in lines.
    """

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        """Answer all questions at once. Raises EndpointError."""
        return _replies(asks, self.complete([_request(ask) for ask in asks]))

    def describe(self, version: int) -> str:
        """`openai gpt-4o-mini at api.openai.com`, and `extra`; the version of the scripted rules does not matter."""
        extra = f" {json.dumps(self.extra, sort_keys=True)}" if self.extra else ""
        return f"openai {self.model} at {self.host}{extra}"


def _request(ask: Ask, stop: tuple[str, ...] = ()) -> Request:
    return Request(
        messages=(Message("user", ask.prompt),),
        max_tokens=ask.max_new_tokens,
        temperature=float(ask.sample),
        seed=ask.seed,
        stop=stop,
    )


def _replies(asks: Sequence[Ask], texts: Sequence[str]) -> list[Reply]:
    return [Reply(ask.read(_line(text))) for ask, text in zip(asks, texts, strict=True)]


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    return heard(lines[0], LONGEST) if lines else ""
