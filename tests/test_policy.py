"""How a model plays: the cache changes nothing, the batch changes nothing, chance follows the seed."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from lmrl.cache import Cache
from lmrl.models import LanguageModel
from lmrl.policy import Actor, LMPolicy, Mode, draw, uniforms
from lmrl.reading import hidden, logits
from lmrl.rollout import Situation, rollout
from lmrl.task import Start, Step
from lmrl.trajectory import Turn
from lmrl.view import View
from tests.parts import make_model


class Chatter:
    """Answers each action with a text of random length, for a random number of turns."""

    def reset(self, seed: int, options: object = None) -> str:
        self._rng = random.Random(seed)
        return self._say()

    def _say(self) -> str:
        return "see\n" * self._rng.randint(1, 4)

    def step(self, action: str) -> Step:
        return Step(self._say(), -1.0, self._rng.random() < 0.1)

    def legal_actions(self) -> Sequence[str]:
        return ("left\n", "right\n")


def actor(model: LanguageModel, haste: float = 0.0) -> Actor:
    """haste: added to the score of what ends an action."""
    more = torch.tensor([haste * (i in model.codec.stops) for i in range(model.codec.size)])
    return Actor([model.lm], lambda states: logits(model.lm, model.codec.size, states[0]) + more)


def player(
    model: LanguageModel, mode: Mode = "sample", context: int | None = None, new: int = 4, haste: float = 0.0
) -> LMPolicy:
    return LMPolicy(actor(model, haste), model.codec, View(context, model.positions, new), mode=mode)


class Forgetful:
    """The same player without any cache: a new one for every call."""

    def __init__(self, model: LanguageModel, context: int | None, haste: float) -> None:
        self._model, self._context, self._haste = model, context, haste

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return player(self._model, context=self._context, haste=self._haste).act(situations)


STARTS = [Start(seed) for seed in range(12)]
BRIEF = pytest.mark.parametrize("haste", [0.0, 5.0])
"""With haste, half of the rows end after a token or two, and the rest goes on alone."""


@BRIEF
@pytest.mark.parametrize("context", [None, 1, 6])
def test_an_episode_does_not_depend_on_its_batch(model: LanguageModel, context: int | None, haste: float) -> None:
    together = rollout(Chatter, player(model, context=context, haste=haste), STARTS, max_turns=15)
    alone = [rollout(Chatter, player(model, context=context, haste=haste), [s], max_turns=15)[0] for s in STARTS]
    assert [t.turns for t in together] == [t.turns for t in alone]


@BRIEF
@pytest.mark.parametrize(("context", "turns"), [(None, 4), (6, 14)])
def test_what_is_cached_changes_no_answer(model: LanguageModel, context: int | None, turns: int, haste: float) -> None:
    cached = rollout(Chatter, player(model, context=context, haste=haste), STARTS, max_turns=turns)
    fresh = rollout(Chatter, Forgetful(model, context, haste), STARTS, max_turns=turns)
    assert [t.turns for t in cached] == [t.turns for t in fresh]


def test_who_has_ended_is_not_kept_waiting(model: LanguageModel) -> None:
    read: list[int] = []

    def counting(states: Sequence[torch.Tensor]) -> torch.Tensor:
        read.append(len(states[0]))
        return player(model, haste=3.0)._actor.logits(states)

    policy = LMPolicy(Actor([model.lm], counting), model.codec, View(None, model.positions, 8), mode="sample")
    situations = [Situation((Turn("see\n", False),), start.seed, lambda: ()) for start in STARTS]
    said = [turn.tokens for turn in policy.act(situations)]
    lengths = [len(tokens) for tokens in said if tokens]
    assert read[0] == len(lengths) == len(STARTS)
    assert max(lengths) > 2
    assert sum(read) < 0.75 * len(STARTS) * max(lengths), read


@BRIEF
def test_cached_scores_equal_those_of_reading_everything_anew(haste: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(positions=36)
    policy = player(model)
    select, read = policy._cache.select, LMPolicy._read
    forgotten: list[int] = []
    rows: list[Any] = []

    def reading(cache: Cache, some: Sequence[Any]) -> list[torch.Tensor]:
        rows[:] = some
        return read(cache, some)

    def checked(states: Sequence[torch.Tensor]) -> torch.Tensor:
        scores = actor(model).logits(states)
        for row, score in zip(rows, scores, strict=True):
            if not row.said or row.said[-1] not in model.codec.stops:  # what is said after the end means nothing
                anew = logits(model.lm, model.codec.size, hidden(model.lm, torch.tensor([row.ids]))[0, -1])
                torch.testing.assert_close(score, anew, atol=1e-4, rtol=1e-4)
        return actor(model, haste).logits(states)

    def selecting(rows: Sequence[int], forget: Sequence[bool]) -> None:
        forgotten.append(sum(forget))
        select(rows, forget)

    monkeypatch.setattr(policy, "_read", reading)
    policy._actor = Actor(policy._actor.lms, checked)
    policy._cache.select = selecting  # type: ignore[method-assign]
    rollout(Chatter, policy, [Start(seed) for seed in range(30)], max_turns=25)
    assert sum(forgotten) > 5, "as room runs out, rows are read anew beside others that go on"


def test_the_turns_of_an_episode_carry_the_ids_that_were_sampled(model: LanguageModel) -> None:
    for episode in rollout(Chatter, player(model), STARTS, max_turns=5):
        for turn in episode.turns:
            assert (turn.tokens is not None) == turn.is_action
            if turn.tokens:
                assert model.codec.action(turn.tokens) == turn.text
                assert all(i not in model.codec.stops for i in turn.tokens[:-1])


def test_another_seed_is_another_game_and_the_same_seed_the_same(model: LanguageModel) -> None:
    one, two = (rollout(Chatter, player(model), [Start(s)], max_turns=8)[0].turns for s in (1, 2))
    assert one != two
    assert one == rollout(Chatter, player(model), [Start(1)], max_turns=8)[0].turns


def test_every_seed_turn_and_token_has_a_number_of_its_own(model: LanguageModel) -> None:
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.zero_()  # any token is as likely, so a token tells its number
    episodes = rollout(Chatter, player(model, context=6), STARTS, max_turns=15)
    said = [turn.tokens for episode in episodes for turn in episode.turns if turn.tokens]
    assert len(set(said)) == len(said) > 50
    assert all(len(set(tokens)) > 1 for tokens in said if len(tokens) > 1)


def test_a_policy_may_leave_a_game_and_begin_others(model: LanguageModel) -> None:
    policy = player(model)
    first = rollout(Chatter, policy, STARTS[:5], max_turns=3)
    again = rollout(Chatter, policy, STARTS[:5], max_turns=3)
    assert [t.turns for t in first] == [t.turns for t in again]


def test_rank_takes_the_likeliest_legal_action(model: LanguageModel) -> None:
    situation = Situation((Turn("see\n", False),), 0, lambda: ("left\n", "right\n", "left\nx"))
    prompt = model.codec.encode("see\n")
    scores = {}
    for text in ("left\n", "right\n"):
        ids = torch.tensor([[*prompt, *model.codec.encode(text)]])
        log = logits(model.lm, model.codec.size, hidden(model.lm, ids)).log_softmax(-1)
        scores[text] = float(log[0, len(prompt) - 1, ids[0, len(prompt)]].detach())
    (turn,) = player(model, mode="rank").act([situation])
    assert turn.text == max(scores, key=scores.__getitem__)


def test_rank_answers_even_where_every_action_holds_what_is_never_said(model: LanguageModel) -> None:
    policy, never = player(model, mode="rank"), torch.tensor(model.codec.encode("left\n"))
    speak = policy._actor.logits
    policy._actor = Actor(policy._actor.lms, lambda states: speak(states).index_fill(-1, never, -torch.inf))
    (turn,) = policy.act([Situation((Turn("see\n", False),), 0, lambda: ("left\nleft\n", "left\n"))])
    assert turn.text == "left\n"


def test_rank_needs_legal_actions(model: LanguageModel) -> None:
    situation = Situation((Turn("see\n", False),), 0, lambda: ())
    with pytest.raises(ValueError, match="policy=rank: this task cannot list its legal actions"):
        player(model, mode="rank").act([situation])


def test_draw_inverts_the_distribution_function() -> None:
    scores = torch.tensor([[0.25, 0.0, 0.75]]).log().expand(4, 3)
    assert draw(scores, torch.tensor([0.0, 0.24, 0.26, 0.999])).tolist() == [0, 0, 2, 2]


def test_uniforms_are_uniform_and_differ_by_seed_turn_and_token() -> None:
    many = uniforms(list(range(20000)), [3] * 20000, 1)
    counts = torch.histc(many, bins=20, min=0, max=1)
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 df, p = 0.001
    grid = [(seed, turn) for seed in range(30) for turn in range(30)]
    numbers = torch.cat([uniforms(*zip(*grid, strict=True), token) for token in range(5)])
    assert len(numbers.unique()) == len(numbers) == 30 * 30 * 5
