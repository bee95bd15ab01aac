"""What a task is: an environment that speaks, how much of the talk a policy sees, its data and its scores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lmrl.kinds import Count, Natural
from lmrl.scoring import Score

if TYPE_CHECKING:
    from lmrl.codec import Spelling
    from lmrl.datasets import Source


@dataclass(frozen=True, slots=True)
class Step:
    """What the environment answers to one action."""

    observation: str
    reward: float = 0.0
    done: bool = False
    """The episode is over."""
    truncated: bool = False
    """The clock ended it (then `done` is True too): not a terminal state, for whoever learns from it."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """`success` on the last step, `invalid_action` wherever it is True; whatever else people may want to read."""


class TextEnv(Protocol):
    """One episode at a time. The same seed and options give the same episode; no global random state is touched."""

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Begin an episode and return what the environment says first. Raises ValueError on a bad option."""

    def step(self, action: str) -> Step:
        """Answer one utterance. Raises RuntimeError before `reset` and after the end."""

    def legal_actions(self) -> Sequence[str]:
        """What could be said now and be valid; empty where it cannot be listed."""


@dataclass(frozen=True, slots=True)
class Start:
    """What fixes an episode: the seed of all its chance, and options that overrule it."""

    seed: int
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as `conf/task/<name>.yaml` describes it."""

    name: str
    version: Natural
    """Raised whenever the same seed would give another episode; part of every hash."""
    env: Callable[[], TextEnv]
    data: "Source"
    max_turns: Count
    """Actions after which a rollout stops an episode that has not ended by itself."""
    context: Count | None
    """How many texts a policy sees: 1, only the last observation (the task is Markov); None, all that was said."""
    max_new_tokens: Count
    """Tokens that a policy may spend on one action."""
    phrases: Callable[[], Iterable[str]]
    """Texts that a tokenizer made for this task holds as one token each; anything else is spelt in bytes."""
    score: Score
    """The published constants."""
    own_score: Score | None = None
    """Those of our own rules on the other side, where theirs differ: floor, mean of our data, best player known."""
    spelling: Callable[[], Sequence["Spelling"]] | None = None
    """What such a tokenizer reads otherwise than it is written."""
    facts: Callable[[], Mapping[str, str]] = dict
    """What a run records of this task beside its config, such as what its files hold; a checkpoint is held to it."""
    starts: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    """Options of every episode of the published protocol; None: any seed will do."""
    show: Callable[[str], str] = str
    """What a person who plays sees in place of an observation."""

    def episodes(self, n: int, first_seed: int) -> list[Start]:
        """The n episodes of an evaluation: each of `starts` in turn, or as many seeds."""
        options = list(self.starts()) if self.starts else [None]
        return [Start(first_seed + i, options[i % len(options)]) for i in range(n)]
