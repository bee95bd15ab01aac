"""What a critic knew, turn by turn: its values beside what then came, on episodes it never learnt from.

    G_t = r_t + gamma G_(t+1)                                what came, from turn t on
    Q_t                                                      what was expected of what was said
    d_t = r_t + gamma Y_(t+1) - Q_t                          the TD error; Y is V where there is one, else Q

Q is read at an action's last token, Y at the next action's first. Discounts are the algorithm's own, so Q and G are of
one kind; all are in raw units of return. Where the clock cut an episode, its last turn has no TD error.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lmrl.corpus import CUT, Actions, Corpus
from lmrl.returns import discounts, reward_to_go
from lmrl.tokenizing import tokenize
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory
from lmrl.view import View
from lmrl.windows import Windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lmrl.algos.base import Algorithm

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, float]]
LEAST = 20
"""Episodes that must have reached a turn for it to be shown."""


@dataclass(frozen=True)
class Critique:
    """One value each per turn that was taken; U turns of all episodes, in time order."""

    turn_U: Floats
    """Of its episode, from 1."""
    came_U: Floats
    """G: the discounted reward to go."""
    expected_U: Floats
    """Q."""
    error_U: Floats
    """d; nan where nothing is known of what follows."""

    def __len__(self) -> int:
        return len(self.turn_U)


def critique(corpus: Corpus, values: Mapping[str, Tensor], discount_N: Tensor) -> Critique:
    """Hold a critic's values against what came.

    values: what `Algorithm.critic` says of all of the corpus' action tokens; discount_N: what each token's future is
    multiplied by (`lmrl.returns.discounts`).
    """
    actions = corpus.actions()
    last_U = actions.last_N.nonzero()[:, 0]
    first_U = torch.cat([last_U.new_zeros(1), last_U[:-1] + 1])
    ends_U, cut_U = _ends(corpus, actions, last_U)
    next_U = torch.where(ends_U, 0.0, values.get("v", values["q"])[first_U].roll(-1))
    expected_U = values["q"][last_U]
    error_U = actions.reward_N[last_U] + discount_N[last_U] * next_U - expected_U
    error_U[ends_U & cut_U] = torch.nan
    came_U = reward_to_go(actions.reward_N, discount_N, actions.episode_N)[last_U]
    columns = (_counted(actions.episode_N[last_U]), came_U, expected_U, error_U)
    return Critique(*(column.double().numpy() for column in columns))


def _ends(corpus: Corpus, actions: Actions, last_U: Tensor) -> tuple[Tensor, Tensor]:
    """Which turns are their episodes' last, and which are in a window that the clock cut."""
    episode_U = actions.episode_N[last_U]
    ends_U = torch.cat([episode_U[1:] != episode_U[:-1], torch.ones(1, dtype=torch.bool)])
    return ends_U, torch.from_numpy(corpus.end == CUT)[actions.window_N[last_U]]


def _counted(episode_U: Tensor) -> Tensor:
    """1, 2, 3, … within each episode.

    >>> _counted(torch.tensor([4, 4, 7])).tolist()
    [1, 2, 1]
    """
    counts = episode_U.unique_consecutive(return_counts=True)[1]
    return torch.cat([torch.arange(1, int(count) + 1) for count in counts])


@torch.no_grad()
def judged(algo: "Algorithm", episodes: Iterable[Trajectory], view: View) -> Rows:
    """`by_turn` of what an algorithm that has a critic thinks of some episodes, of which there is at least one."""
    corpus = tokenize(episodes, algo.model.codec, view)
    batches = Windows(corpus, np.arange(len(corpus))).in_order(256)
    said = [algo.critic(batch.to(algo.device)) for batch in batches]
    values = {name: torch.cat([part[name] for part in said]).float().cpu() for name in said[0]}
    return by_turn(critique(corpus, values, discounts(corpus.actions().last_N, algo.gamma, algo.discount)))


def by_turn(seen: Critique) -> Rows:
    """A row a turn that `LEAST` episodes reached, after one of all, whose `turn` is 0.

    `n`; `came` and `expected`, their means; `bias`: expected - came, and its standard error, in which all turns of an
    episode count as one draw; `rmse` of the same; `td_mean` and `td_rms`: mean and root mean square of the TD error;
    `explained`: the share of the variance of what came that was expected, 1 - Var(came - expected) / Var(came); nan
    where all came alike.
    """
    turns, counts = np.unique(seen.turn_U, return_counts=True)
    return [_row(seen, turn) for turn in (0, *turns[counts >= LEAST])]


def _row(seen: Critique, turn: float) -> dict[str, float]:
    at = seen.turn_U == turn if turn else np.ones(len(seen), np.bool_)
    came, off, error = seen.came_U[at], (seen.expected_U - seen.came_U)[at], seen.error_U[at]
    known = error[~np.isnan(error)]
    episode = np.cumsum(seen.turn_U == 1)[at]
    variance = float(came.var())
    return {
        "turn": int(turn),
        "n": len(came),
        "came": float(came.mean()),
        "expected": float(came.mean() + off.mean()),
        "bias": float(off.mean()),
        "bias_se": float(np.sqrt((np.bincount(episode, off - off.mean()) ** 2).sum()) / len(off)),
        "rmse": float(np.sqrt((off**2).mean())),
        "td_mean": float(known.mean()) if len(known) else np.nan,
        "td_rms": float(np.sqrt((known**2).mean())) if len(known) else np.nan,
        "explained": 1 - float(off.var()) / variance if variance > 0 else np.nan,
    }


def values_png(tables: Mapping[str, Rows], path: Path) -> None:
    """Draw tables of `by_turn`, by the name of what was played: what was expected and what came, and the errors."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    for number, (name, rows) in enumerate(tables.items()):
        _draw(above, below, name, {key: np.array([row[key] for row in rows[1:]]) for key in rows[0]}, f"C{number}")
    _dress(above, "discounted return to go")
    _dress(below, "root mean square")
    below.set_xlabel("turn of the episode")
    below.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(path, dpi=130)


def _draw(above: "Axes", below: "Axes", name: str, column: Mapping[str, Floats], color: str) -> None:
    turn, half = column["turn"], 1.96 * column["bias_se"]
    above.plot(turn, column["came"], color=color, label=f"{name}: what came")
    above.plot(turn, column["expected"], "--", color=color, label=f"{name}: what was expected, ± 95 % of the bias")
    ends = column["expected"] - half, column["expected"] + half
    above.fill_between(turn, *ends, color=color, alpha=0.18, linewidth=0)
    below.plot(turn, column["td_rms"], color=color, label=f"{name}: TD error")
    below.plot(turn, column["rmse"], ":", color=color, label=f"{name}: expected - came")


def keep_critique(
    tracker: Tracker, algo: "Algorithm", view: View, episodes: Mapping[str, Sequence[Trajectory]]
) -> None:
    """Leave `values.csv` and `values.png` in the run's folder and among its artifacts.

    episodes: what is judged, by name; names without an episode are left out.
    """
    tables = {name: judged(algo, played, view) for name, played in episodes.items() if played}
    for write, name in ((values_csv, "values.csv"), (values_png, "values.png")):
        write(tables, tracker.folder / name)
        tracker.log_file(tracker.folder / name)


def _dress(axes: "Axes", label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best")


def values_csv(tables: Mapping[str, Rows], path: Path) -> None:
    """Write the tables below each other, with what was played in the column `on`."""
    rows = [{"on": name, **row} for name, table in tables.items() for row in table]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
