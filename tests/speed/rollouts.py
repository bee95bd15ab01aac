"""`LMPolicy` against `transformers`' `generate` on the re-encoded history.

Both speak for the same model, at the same turns of the same games, as many new tokens; `generate` reads the prompts
padded on the left. The model is untrained and says legal actions only, so that games are as long as real ones.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from hydra.utils import instantiate
from torch import Tensor

from lmrl.evaluate import view_of
from lmrl.models import LanguageModel
from lmrl.policy import Actor, LMPolicy
from lmrl.reading import logits
from lmrl.rollout import Situation, rollout
from lmrl.task import Task
from lmrl.trajectory import Turn
from tests.speed.measure import Effort, Figure, ratio
from tests.speed.setting import config

GAMES = 256
"""In lockstep, as `lmrl.rollout.play` does."""
MAZE_TURNS = 20
"""Actions until a maze's history has 39 texts and the answer, the 40th, is made."""


def figures(effort: Effort, folder: Path) -> list[Figure]:
    """Wordle games, maze histories, and what a turn costs early and late."""
    words, mazes = Game.of("wordle", folder), Game.of("maze_po", folder)
    words.race(effort.of(GAMES), 2), mazes.race(effort.of(GAMES), 2)
    wordle = [words.race(effort.of(GAMES), words.task.max_turns) for _ in range(effort.repetitions)]
    maze = [mazes.race(effort.of(GAMES), MAZE_TURNS) for _ in range(effort.repetitions)]
    ours, theirs = [race.rate(race.ours) for race in wordle], [race.rate(race.theirs) for race in wordle]
    episodes = [effort.of(GAMES) / sum(race.ours) for race in wordle]
    late = [race.last() for race in maze]
    grown = {"LMPolicy": [growth(race.ours) for race in maze], "generate": [growth(race.theirs) for race in maze]}
    over = "maze, a turn after 31 to 39 texts over 5 to 13"
    return [
        Figure("wordle, LMPolicy", "tokens/s", ours),
        Figure("wordle, LMPolicy", "episodes/s", episodes),
        Figure("wordle, LMPolicy over generate", "times", ratio(ours, theirs), at_least=2.5),
        Figure("39 maze texts, LMPolicy", "tokens/s", [ours for ours, _ in late]),
        Figure("39 maze texts, LMPolicy over generate", "times", [a / b for a, b in late], at_least=10.0),
        # attention itself still looks at four times as much
        Figure(f"{over}, LMPolicy", "times", grown["LMPolicy"], at_most=1.5),
        Figure(f"{over}, generate", "times", grown["generate"]),
    ]


def growth(seconds: Sequence[float]) -> float:
    """What the last five turns cost beside five early ones."""
    return sum(seconds[-5:]) / sum(seconds[2:7])


@dataclass
class Race:
    """A player that answers as `policy` does, and notes what a turn costs it and costs `generate`."""

    policy: LMPolicy
    model: LanguageModel
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    """Seconds of processor time, turn by turn."""
    spoken: list[int] = field(default_factory=list)
    """Tokens, turn by turn."""

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        begun = time.process_time()
        turns = self.policy.act(situations)
        between = time.process_time()
        new = max(len(turn.tokens or ()) for turn in turns)
        generate(self.model, situations, new)
        self.ours.append(between - begun)
        self.theirs.append(time.process_time() - between)
        self.spoken.append(new * len(turns))
        return turns

    def rate(self, seconds: Sequence[float]) -> float:
        """New tokens a second."""
        return sum(self.spoken) / sum(seconds)

    def last(self) -> tuple[float, float]:
        """The rates of both in the last turn."""
        return self.spoken[-1] / self.ours[-1], self.spoken[-1] / self.theirs[-1]


def generate(model: LanguageModel, situations: Sequence[Situation], new: int) -> Tensor:
    """The usual way: encode the whole history, pad on the left, sample `new` tokens."""
    prompts = [[i for turn in s.history for i in turn.tokens or model.codec.encode(turn.text)] for s in situations]
    width = max(map(len, prompts))
    ids_RT = torch.tensor([[0] * (width - len(ids)) + ids for ids in prompts])
    mask_RT = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts])
    out: Tensor = model.lm.generate(  # type: ignore[operator]
        ids_RT, attention_mask=mask_RT, do_sample=True, min_new_tokens=new, max_new_tokens=new, pad_token_id=0
    )
    return out


@dataclass
class Game:
    """A task, a model for it, and what it may say."""

    task: Task
    model: LanguageModel
    mask_V: Tensor

    @staticmethod
    def of(name: str, folder: Path) -> "Game":
        cfg = config(folder, f"task={name}", "algo=bc")
        torch.manual_seed(0)
        task: Task = instantiate(cfg.task, _convert_="all")
        model: LanguageModel = instantiate(cfg.model, _convert_="all")()
        model.lm.eval()
        env = task.env()
        env.reset(0)
        legal = [model.codec.encode(action)[0] for action in env.legal_actions()]
        mask_V = torch.full((model.codec.size,), -torch.inf).index_fill(0, torch.tensor(legal), 0.0)
        return Game(task, model, mask_V)

    def race(self, games: int, turns: int) -> Race:
        """Play so many turns of so many games."""

        def scores(states: Sequence[Tensor]) -> Tensor:
            return logits(self.model.lm, self.model.codec.size, states[0]) + self.mask_V

        view = view_of(self.task, self.model)
        actor = Actor([self.model.lm], scores)
        race = Race(LMPolicy(actor, self.model.codec, view, mode="sample"), self.model)
        rollout(self.task.env, race, self.task.episodes(games, 0), max_turns=turns)
        return race
