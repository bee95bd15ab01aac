"""Zero- and few-shot prompting: a language model that was never trained on the task plays it from its description.

    python -m lmrl task=wordle algo=prompting model=lm model.name=FOLDER_OR_HUB_NAME algo.shots=1
    python -m lmrl task=wordle algo=prompting model=openai model.name=NAME        # any OpenAI-compatible endpoint

What it reads is the task's file below `lmrl/prompts`, `shots` episodes of the task's data that were won, and the game
so far as a conversation: observations by the user, actions by the assistant. There is nothing to train: such a run
plays the protocol and logs what any run logs. Departures from LMRL-Gym's GPT-4 baseline (`*/gpt4/*.py`): one text per
task for all models, an answer is a line and no JSON, and what is no action is played as it was said.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.evaluate import data_row, prefixed, refuse_taken, score_final, show
from lmrl.files import text_of
from lmrl.kinds import Natural, NotNegative
from lmrl.rollout import Situation
from lmrl.signals import listening
from lmrl.speakers.completion import Message, Request
from lmrl.speakers.generation import TextGenerator
from lmrl.task import Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory, Turn

PROMPTS = Path(__file__).parent / "prompts"
WON = 1000
"""Won episodes of the data, the first ones, among which the examples are drawn."""


class Completer(Protocol):
    """Whatever continues a conversation: a language model here, or an endpoint."""

    def complete(self, requests: Sequence[Request]) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class Prompting:
    """`conf/algo/prompting.yaml`: what stands before the game."""

    shots: Natural
    """Won episodes of the data that are shown first; 0: zero-shot."""
    instructions: str | None
    """A file with the task's description; None: ours."""
    temperature: NotNegative
    max_tokens: Natural
    """Tokens of an answer."""

    def instruct(self, task: Task, seed: int) -> str:
        """The text that stands before every game.

        Raises ValueError if there is none for this task, or if the data has too few games that were won.
        """
        file = Path(self.instructions) if self.instructions else PROMPTS / f"{task.name}.txt"
        if not file.is_file():
            raise ValueError(f"algo.instructions = {self.instructions}: no file {file}; name one that tells the rules")
        games = examples(task.data.dataset(), self.shots, seed) if self.shots else []
        parts = [text_of(file), *(f"An example:\n{_told(game, task.context)}" for game in games)]
        return "\n".join(parts)


def examples(data: Iterable[Trajectory], shots: int, seed: int) -> list[Trajectory]:
    """Games of the data that were won, drawn by the seed. Raises ValueError if there are too few."""
    won = list(islice((game for game in data if game.info["success"]), WON))
    if len(won) < shots:
        raise ValueError(f"algo.shots = {shots}: the task's data has {len(won)} episodes that were won; ask for fewer")
    return random.Random(seed).sample(won, shots)


def _told(game: Trajectory, context: int | None) -> str:
    """A game to be read; of a task in which only the last text counts, its first pair alone."""
    turns = game.turns if context is None else game.turns[: 2 * context]
    return "".join(turn.text for turn in turns)


class PromptedPolicy:
    """A completer at play. An answer's first line that says something is the action."""

    def __init__(self, completer: Completer, prompting: Prompting, *, instructions: str, context: int | None) -> None:
        self._completer, self._prompting = completer, prompting
        self._instructions, self._context = instructions, context

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        """Answer all situations by one batch of requests."""
        replies = self._completer.complete([self._request(s) for s in situations])
        return [Turn(first_line(reply), True) for reply in replies]

    def _request(self, situation: Situation) -> Request:
        seen = situation.history if self._context is None else situation.history[-2 * self._context + 1 :]
        return Request(
            messages=(Message("system", self._instructions), *map(_message, seen)),
            max_tokens=self._prompting.max_tokens,
            temperature=self._prompting.temperature,
            seed=situation.seed + len(situation.history),
            stop=("\n",) if isinstance(self._completer, TextGenerator) else (),  # others may begin with an empty line
        )


def _message(turn: Turn) -> Message:
    return Message("assistant" if turn.is_action else "user", turn.text)


def first_line(reply: str) -> str:
    r"""The action in an answer.

    >>> first_line("\n  move up \nbecause the goal is there")
    'move up\n'
    """
    return next((line.strip() for line in reply.splitlines() if line.strip()), "") + "\n"


def prompt(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Let the prompted model play the task's protocol: the final metrics, also in `folder/metrics.json`.

    Raises ValueError for what a user can mend, Stopped after SIGINT or SIGTERM.
    """
    refuse_taken(folder)
    task: Task = instantiate(cfg.task, _convert_="all")
    prompting: Prompting = instantiate(cfg.algo)
    completer: Completer = instantiate(cfg.model, _convert_="all")
    text = prompting.instruct(task, cfg.seed)
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=f"{task.name}-prompting-s{cfg.seed}")
    tags = {"task": task.name, "algo": "prompting", "seed": str(cfg.seed), "kind": "training", **task.facts()}
    with listening() as stop, tracker.recording(cfg, overrides, tags):
        (folder / "prompt.txt").write_text(text, encoding="utf-8")
        tracker.log_text(text, "prompt.txt")
        policy = PromptedPolicy(completer, prompting, instructions=text, context=task.context)
        figures = score_final(tracker, task, policy, cfg.evaluation, label="play", on_turn=stop.check)
    show({"prompting": figures, "data": data_row(task)})
    print(f"figures, transcripts and prompt are in {folder}")
    return prefixed(figures, "final")
