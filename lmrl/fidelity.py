"""How far another speaker agrees with a task's own rules: `lmrl-fidelity task=twenty_questions simulator=lm …`.

Both are asked the same questions, drawn from those of the task's data. An answer is compared as the environment reads
it: whether both are the same, with Cohen's kappa, which takes off what chance would agree on; and by the F1 of their
words (as in SQuAD, arXiv:1606.05250, section 6.1), which says more where answers are sentences. Wilson's intervals at
95 %, per kind of question and over all.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.config import check
from lmrl.dialogue import Ask, Dialogue, Reply, Scripted
from lmrl.evaluate import prefixed, refuse_taken, write_metrics
from lmrl.pages import template
from lmrl.signals import listening
from lmrl.task import Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory

_WORD = re.compile(r"\w+")


class _Listener(Scripted):
    """The task's own rules, and a note of what they were asked."""

    def __init__(self) -> None:
        self.heard: list[Ask] = []

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        self.heard += asks
        return super().reply(asks)


@dataclass(frozen=True, slots=True)
class Pair:
    """One question and both answers, as the environment reads them."""

    prompt: str
    kind: str
    scripted: str
    other: str

    @property
    def same(self) -> bool:
        """Whether they are one answer."""
        return self.scripted == self.other


def questions(env: Dialogue, episodes: Iterable[Trajectory]) -> list[Ask]:
    """What was asked in these episodes, each question of each hidden thing once. They are played again, by seed."""
    env.simulator = listener = _Listener()
    for episode in episodes:
        env.reset(episode.info["seed"])
        for turn in episode.turns[1::2]:
            env.step(turn.text)
    return list({ask.prompt: ask for ask in listener.heard}.values())


def compare(asks: Sequence[Ask], others: Sequence[Reply]) -> list[Pair]:
    """Our rules' answers beside those of another speaker."""
    ours = [ask.scripted() for ask in asks]
    return [
        Pair(ask.prompt, str(our.info.get("kind", "")), ask.read(our.text), ask.read(other.text))
        for ask, our, other in zip(asks, ours, others, strict=True)
    ]


def f1(one: str, other: str) -> float:
    """Harmonic mean of precision and recall over the words of two texts, capitals and punctuation aside.

    >>> f1("Yes, it is.", "yes")
    0.5
    """
    first, second = (Counter(_WORD.findall(text.lower())) for text in (one, other))
    if not first or not second:
        return float(first == second)
    return 2 * (first & second).total() / (first.total() + second.total())


def agreement(pairs: Sequence[Pair]) -> dict[str, float]:
    """`agreement` with Wilson's interval, Cohen's `kappa`, mean word `f1`, and `questions`, how many there are.

    Where nearly all answers are No, a speaker that always says No agrees nearly always: its kappa is 0.
    """
    from scipy.stats import binomtest

    same = sum(pair.same for pair in pairs)
    low, high = binomtest(same, len(pairs)).proportion_ci(method="wilson")
    overlap = sum(f1(pair.scripted, pair.other) for pair in pairs) / len(pairs)
    ends = {"agreement_low": float(low), "agreement_high": float(high)}
    return {"agreement": same / len(pairs), **ends, "kappa": _kappa(pairs), "f1": overlap, "questions": len(pairs)}


def _kappa(pairs: Sequence[Pair]) -> float:
    """(agreement - chance) / (1 - chance); 0 where both only ever give one answer."""
    ours, others = Counter(pair.scripted for pair in pairs), Counter(pair.other for pair in pairs)
    chance = sum(count * others[answer] for answer, count in ours.items()) / len(pairs) ** 2
    return (sum(pair.same for pair in pairs) / len(pairs) - chance) / (1 - chance) if chance < 1 else 0.0


def by_kind(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """`agreement` of each kind of question, the most frequent first."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.kind].append(pair)
    return {kind: agreement(groups[kind]) for kind in sorted(groups, key=lambda kind: -len(groups[kind]))}


def fidelity(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Ask both, write `folder/fidelity.html`, and return the figures. Raises ValueError for what a user can mend."""
    check(cfg)
    refuse_taken(folder)
    task: Task = instantiate(cfg.task, _convert_="all")
    env = task.env()
    if not isinstance(env, Dialogue) or isinstance(env.simulator, Scripted):
        raise ValueError(f"simulator: task={task.name} needs another speaker to compare its rules with: simulator=lm")
    other = env.simulator
    asks = questions(env, islice(task.data.dataset(), cfg.questions))
    asks = random.Random(cfg.seed).sample(asks, min(cfg.questions, len(asks)))
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=f"fidelity-{task.name}")
    with listening(), tracker.recording(cfg, overrides, {"task": task.name, "kind": "fidelity", **task.facts()}):
        pairs = compare(asks, other.reply(asks))
        figures = prefixed(agreement(pairs), "fidelity")
        tracker.log_metrics(figures, 0)
        page = page_of(pairs, title=f"{task.name}: {task.facts()['simulator']}")
        (folder / "fidelity.html").write_text(page, encoding="utf-8")
        tracker.log_text(page, "fidelity.html")
        write_metrics(folder, figures)
    _print(pairs)
    print(f"the page is {folder / 'fidelity.html'}")
    return figures


def page_of(pairs: Sequence[Pair], *, title: str) -> str:
    """One self-contained page: a table by kind, and questions on which they differ."""
    rows: Mapping[str, Any] = {"all": agreement(pairs), **by_kind(pairs)}
    return template("fidelity.html").render(title=title, rows=rows, differing=[p for p in pairs if not p.same][:200])


def _print(pairs: Sequence[Pair]) -> None:
    for kind, row in {"all": agreement(pairs), **by_kind(pairs)}.items():
        ends = f"[{100 * row['agreement_low']:.0f}, {100 * row['agreement_high']:.0f}]"
        figures = f"kappa {row['kappa']:5.2f}  F1 {row['f1']:.2f}  n {row['questions']:.0f}"
        print(f"{kind:<16}{100 * row['agreement']:5.1f} % {ends:<10} {figures}")
