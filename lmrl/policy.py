"""How a language model plays: sampling, greedily, or by ranking legal actions, at the price of its new tokens alone.

Shapes: R rows (live episodes), C tokens of a chunk, D width, V tokens to speak.

The cache of a history that extends an earlier one is reused, so a turn costs its new tokens (`lmrl.cache`).
Chance comes from the episode's seed, the turn and the token's place, so an episode does not depend on its batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from lmrl.cache import Cache, padded
from lmrl.codec import Codec
from lmrl.kinds import Mode
from lmrl.reading import hidden
from lmrl.rollout import Situation
from lmrl.tokenizing import ids_of
from lmrl.trajectory import History, Turn
from lmrl.view import View

NEVER = -1e4
"""What a token counts that is never said, when actions are ranked: some action must win."""


@dataclass(frozen=True)
class Actor:
    """What an algorithm gives to be played."""

    lms: Sequence[nn.Module]
    """The models that read the game side by side."""
    logits: Callable[[Sequence[Tensor]], Tensor]
    """Their hidden states of one position, each [R, D], to scores of the next token, [R, V]."""


def uniforms(seeds: Sequence[int], turn: Sequence[int], token: int) -> torch.Tensor:
    """One number in [0, 1) per row, a pure function of (seed, turn, token): SplitMix64's finaliser (Steele 2014).

    >>> bool(uniforms([7, 8], [1, 1], 0)[0] == uniforms([7], [1], 0)[0])
    True
    """
    with np.errstate(over="ignore"):
        x = np.zeros(1, dtype=np.uint64)
        for part in ([s & 0xFFFFFFFFFFFFFFFF for s in seeds], turn, [token]):  # each is mixed before the next is added
            x = (x + np.array(part, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x = x ^ (x >> np.uint64(31))
    return torch.from_numpy((x >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def draw(logits_RV: Tensor, uniform_R: Tensor) -> Tensor:
    """Sample by inverting the distribution function, in fp64: ids [R]."""
    total_RV = torch.softmax(logits_RV.double(), -1).cumsum(-1)
    point_R1 = (uniform_R.to(total_RV.device) * total_RV[:, -1])[:, None]
    return torch.searchsorted(total_RV, point_R1, right=True)[:, 0].clamp(max=logits_RV.shape[1] - 1)


@dataclass
class _Row:
    """What is known of one episode: the turns taken in, the action said since, and the tokens of the text seen."""

    history: History = ()
    said: tuple[int, ...] = ()
    lengths: list[int] = field(default_factory=list)
    begin: int = 0
    ids: list[int] = field(default_factory=list)
    fed: int = 0
    """How many of `ids` are in the cache."""

    def ended(self, codec: Codec) -> bool:
        """Whether it has said all of its action."""
        return bool(self.said) and self.said[-1] in codec.stops

    def say(self, token: int) -> None:
        self.ids.append(token)
        self.said += (token,)

    def continues(self, history: History) -> bool:
        """Whether the history is this row's, its action and what came after."""
        num = len(self.history)
        return len(history) > num and history[num].tokens == self.said and history[:num] == self.history

    def extend(self, history: History, codec: Codec, view: View) -> None:
        """Take in the turns that came since; if the text's beginning moved, all of it must be read again."""
        texts = [ids_of(turn, codec) for turn in history[len(self.history) :]]
        before, begin = len(self.lengths), self.begin
        self.lengths += map(len, texts)
        for seen in range(before + 1 + before % 2, len(self.lengths) + 1, 2):  # as training's windows: action by action
            begin = view.begin(self.lengths[:seen], begin)
        if begin == self.begin:
            self.ids += [i for ids in texts[bool(self.said) :] for i in ids]  # what was said stands there already
        else:
            self.begin, self.fed, self.ids = begin, 0, [i for turn in history[begin:] for i in ids_of(turn, codec)]
        self.history, self.said = history, ()


class LMPolicy:
    """A language model at play. `act` is a plain call: what is cached between calls never changes an answer."""

    def __init__(self, actor: Actor, codec: Codec, view: View, *, mode: Mode) -> None:
        self._actor, self._codec, self._view, self._mode = actor, codec, view, mode
        self._rows: list[_Row] = []
        self._cache = Cache(actor.lms)

    @torch.inference_mode()
    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        """Answer each situation by one action. Raises ValueError in mode rank where actions cannot be listed."""
        if self._mode == "rank":
            return [self._rank(s) for s in situations]
        self._resume(situations)
        return self._speak(situations)

    def _resume(self, situations: Sequence[Situation]) -> None:
        """Find each history's row in the cache; the rollout keeps their order and only drops those that ended."""
        rows, kept, old = [], [], iter(enumerate(self._rows))
        for situation in situations:
            index, row = next(((i, r) for i, r in old if r.continues(situation.history)), (0, None))
            row = row or _Row()
            row.extend(situation.history, self._codec, self._view)
            rows.append(row)
            kept.append(index)
        if all(row.fed == 0 for row in rows) or self._cache.slots > 2 * self._view.positions:
            self._cache.clear()
            for row in rows:
                row.fed = 0
        else:
            self._cache.select(kept, [row.fed == 0 for row in rows])
        self._rows = rows

    @staticmethod
    def _read(cache: Cache, rows: Sequence[_Row]) -> list[Tensor]:
        states = cache.read([row.ids[row.fed :] for row in rows], [row.fed for row in rows])
        for row in rows:
            row.fed = len(row.ids)
        return states

    def _choose(self, scores_RV: Tensor, situations: Sequence[Situation], place: int) -> list[int]:
        if self._mode == "greedy":
            return scores_RV.argmax(-1).tolist()
        turns = [len(s.history) for s in situations]
        return draw(scores_RV, uniforms([s.seed for s in situations], turns, place)).tolist()

    def _speak(self, situations: Sequence[Situation]) -> list[Turn]:
        self._go_on(self._cache, self._rows, situations, 0)
        return [Turn(self._codec.action(row.said), True, 0.0, row.said) for row in self._rows]

    def _go_on(self, cache: Cache, rows: Sequence[_Row], situations: Sequence[Situation], place: int) -> None:
        """Let these rows speak from the token at this place on.

        When half of them have ended, the rest goes on alone: who babbles once in a hundred turns would else make a
        batch of hundreds wait, turn after turn.
        """
        for here in range(place, self._view.max_new_tokens):
            speaking = [i for i, row in enumerate(rows) if not row.ended(self._codec)]
            if 2 * len(speaking) <= len(rows):
                break
            chosen = self._choose(self._actor.logits(self._read(cache, rows)), situations, here)
            for index in speaking:
                rows[index].say(chosen[index])
        else:
            return
        if speaking:
            few = cache.part(speaking)
            self._go_on(few, [rows[i] for i in speaking], [situations[i] for i in speaking], here)
            cache.join(speaking, few)

    def _rank(self, situation: Situation) -> Turn:
        legal = situation.legal_actions()
        if not legal:
            raise ValueError("policy=rank: this task cannot list its legal actions; use policy=sample or greedy")
        row = _Row()
        row.extend(situation.history, self._codec, self._view)
        answers = [self._codec.encode(text) for text in legal]
        best = max(range(len(legal)), key=self._scores(row.ids, answers).__getitem__)
        return Turn(legal[best], True, 0.0, answers[best])

    def _scores(self, prompt: list[int], answers: Sequence[tuple[int, ...]]) -> list[float]:
        """How likely the actor is to give each answer, as a sum over its tokens.

        LMRL-Gym ranks by sums of Q (MC) or Q - V (ILQL) without the clone. A sum of Q is larger for an answer of more
        tokens, and Q of what the data never say is unknown, so what ranks here is the policy that samples.
        """
        ids_RC = padded([[*prompt, *answer] for answer in answers])
        step_S = torch.arange(1, ids_RC.shape[1])
        end_R1 = torch.tensor([[len(prompt) + len(answer)] for answer in answers])
        said_RS = (step_S >= len(prompt)) & (step_S < end_R1)
        row_N = said_RS.nonzero()[:, 0]
        states = [hidden(lm, ids_RC.to(self._cache.device))[:, :-1][said_RS] for lm in self._actor.lms]
        said_N1 = ids_RC[:, 1:][said_RS].to(self._cache.device)[:, None]
        log_N = self._actor.logits(states).log_softmax(-1).gather(1, said_N1)[:, 0].cpu()
        return torch.zeros(len(answers)).index_add_(0, row_N, log_N.clamp(min=NEVER)).tolist()
