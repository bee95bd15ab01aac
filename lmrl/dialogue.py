r"""Tasks in which somebody else speaks: an oracle, a citizen, a buyer. Who that is, `simulator` says.

An environment asks by `yield` and is sent the reply, so that its code reads in the order of the conversation, and all
environments of a batch are answered at once: by one forward pass of a language model, by one round of requests, or by
the task's own rules.

    class Echo(Dialogue):
        def talk(self, action: str) -> Talk:
            reply = yield Ask(prompt=f"Repeat: {action}", scripted=lambda: Reply(action), seed=self._seed)
            return Step(reply.text, done=True)
"""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lmrl.kinds import Natural
from lmrl.scoring import Score
from lmrl.task import Step, TextEnv


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side says."""

    text: str
    info: Mapping[str, Any] = field(default_factory=dict)
    """The scripted ones tell `understood` and, for statistics, the `kind` of what was said to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What an environment asks of whoever speaks for the other side."""

    prompt: str
    """The published prompt, for a language model."""
    scripted: Callable[[], Reply]
    """What the task's own rules say; the same whenever it is called."""
    seed: int
    """Of whatever is drawn for the answer, so that an episode does not depend on its batch."""
    sample: bool = False
    """Whether a language model draws its answer, as the published buyer does, or says the likeliest."""
    max_new_tokens: int = 128
    read: Callable[[str], str] = str.strip
    """What the environment takes a reply for, such as `Yes.` for "yes, of course"."""


Talk = Generator[Ask, Reply, Step]


class Simulator(Protocol):
    """Whoever speaks for the other side: one reply per question, a whole batch at once."""

    def reply(self, asks: Sequence[Ask]) -> list[Reply]: ...

    def describe(self, version: int) -> str:
        """What scores must not be compared across; `version` is that of the task's own rules."""


class Scripted:
    """The task's own rules: no model, no network, the same answer to the same seed."""

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        """Ask each for what its rules say."""
        return [ask.scripted() for ask in asks]

    def describe(self, version: int) -> str:
        """`scripted 3`: the rules' version."""
        return f"scripted {version}"


def facts(*, simulator: Simulator, version: Natural) -> dict[str, str]:
    """What a run records of the other side; scores with another are not comparable."""
    return {"simulator": simulator.describe(version)}


def own_score(*, simulator: Simulator, floor: float, mean: float, best: float) -> Score | None:
    """The scale of a task's own rules, measured; none where another speaks."""
    return Score(floor=floor, mean=mean, best=best) if isinstance(simulator, Scripted) else None


class Dialogue(ABC):
    """A `TextEnv` in which `simulator` speaks for the other side."""

    simulator: Simulator

    @abstractmethod
    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """See `TextEnv`."""

    @abstractmethod
    def talk(self, action: str) -> Talk:
        """Answer one utterance: yields what it asks of the simulator, returns the step."""

    def step(self, action: str) -> Step:
        """See `TextEnv`; alone, without the others of a batch."""
        return answered([self], [action])[0]

    def legal_actions(self) -> Sequence[str]:
        """Anything may be said."""
        return ()


def answered(envs: Sequence[TextEnv], actions: Sequence[str]) -> list[Step]:
    """Let each environment answer its action; those that ask, all of the same simulator, ask together."""
    talks = {i: env.talk(actions[i]) for i, env in enumerate(envs) if isinstance(env, Dialogue)}
    steps = {i: env.step(actions[i]) for i, env in enumerate(envs) if i not in talks}
    replies: dict[int, Any] = dict.fromkeys(talks)  # a generator's first `send` takes None
    while talks:
        asks: dict[int, Ask] = {}
        for i, talk in list(talks.items()):
            try:
                asks[i] = talk.send(replies[i])
            except StopIteration as end:
                steps[i] = end.value
                del talks[i]
        replies = dict(zip(asks, _replies(envs, asks), strict=True))
    return [steps[i] for i in range(len(envs))]


def _replies(envs: Sequence[TextEnv], asks: Mapping[int, Ask]) -> list[Reply]:
    for env in (envs[i] for i in asks):
        assert isinstance(env, Dialogue)
        return env.simulator.reply(list(asks.values()))
    return []


def heard(said: str, limit: int) -> str:
    r"""What the other side hears of an utterance: one line, no control characters, at most `limit` characters.

    >>> heard("  Is it\ta \x00cat?\n", 500)
    'Is it a cat?'
    """
    known = said[: 2 * limit].encode("utf-8", "ignore").decode().strip()  # lone surrogates are no text
    plain = known if known.isprintable() else "".join(" " if unicodedata.category(c)[0] == "C" else c for c in known)
    return " ".join(plain.split())[:limit].rstrip()
