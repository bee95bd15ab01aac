"""Episodes, figures and learning curves to look at: text, a table, one HTML page without any network, one picture.

The page holds everything it needs, so that MLflow's artifact view, a mail or a USB stick shows the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lmrl.trajectory import Trajectory, Turn

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.axes import Axes
    from rich.table import Table

_TILES = re.compile(r"[byg]( [byg])+")
"""Feedback letter by letter: black (absent), yellow (elsewhere), green (right here)."""

History = Mapping[str, Sequence[tuple[int, float]]]


def transcript_text(trajectories: Sequence[Trajectory]) -> str:
    """Episodes one below the other, a turn a line, each action with its reward and the return so far.

    >>> game = Trajectory((Turn("go\\n", False), Turn("left\\n", True, -1)), True, {"success": True})
    >>> print(transcript_text([game]), end="")
    episode 1 of 1: success, return -1, actions 1, invalid 0
      env   | go
      agent | left  [-1, sum -1]
    """
    return "\n".join(_episode_text(t, f"{i} of {len(trajectories)}") for i, t in enumerate(trajectories, 1))


def transcript_html(
    trajectories: Sequence[Trajectory],
    *,
    title: str,
    summary: Mapping[str, float],
    show: Callable[[str], str] = str,
) -> str:
    """One self-contained page. summary: figures of `lmrl.scoring.summarise`, shown with their intervals at the top.

    show: an observation as a person sees it, which stands below the text where it is something else.

    Readers can filter by outcome and sort by return; the first episode is open, and without JavaScript all can be read.
    """
    episodes = [_episode_row(t, show) for t in trajectories]
    return template("episodes.html").render(title=title, figures=_figures(summary), episodes=episodes)


def curve_png(history: History, path: Path) -> None:
    """Draw what a run has logged: mean returns with their intervals above, losses below.

    history: (step, value) by rising step of every metric, as `Tracker.history` has it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    returns, losses = figure.subplots(2, 1, sharex=True)
    _draw(returns, history, [name for name in history if name.endswith(("return_mean", "return_iqm"))], "raw return")
    _draw(losses, history, [name for name in history if "loss" in name.rpartition("/")[2]], "loss")
    losses.set_xlabel("step")
    figure.savefig(path, dpi=130)


def _draw(axes: "Axes", history: History, names: Sequence[str], label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    for name in names:
        steps, values = zip(*history[name], strict=True)
        (line,) = axes.plot(steps, values, marker="." if len(steps) < 40 else "", label=name)
        low, high = dict(history.get(f"{name}_low", ())), dict(history.get(f"{name}_high", ()))
        if banded := [step for step in steps if step in low and step in high]:
            ends = [low[step] for step in banded], [high[step] for step in banded]
            axes.fill_between(banded, *ends, color=line.get_color(), alpha=0.18, linewidth=0)
    if names:
        axes.legend(frameon=False, loc="best")
    else:
        axes.text(0.5, 0.5, "nothing logged", ha="center", va="center", transform=axes.transAxes, alpha=0.5)


def _episode_text(t: Trajectory, number: str) -> str:
    outcome = "success" if t.info.get("success") else "failure"
    invalid = t.info.get("invalid_actions", 0)
    lines = [f"episode {number}: {outcome}, return {t.total:g}, actions {t.num_actions}, invalid {invalid}"]
    total = 0.0
    for turn in t.turns:
        total += turn.reward
        paid = f"  [{turn.reward:g}, sum {total:g}]" if turn.is_action else ""
        text = turn.text.strip().replace("\n", "\n        | ")
        lines.append(f"  {'agent' if turn.is_action else 'env  '} | {text}{paid}")
    return "\n".join(lines) + "\n"


def _episode_row(t: Trajectory, show: Callable[[str], str]) -> dict[str, Any]:
    """What the template shows of an episode."""
    total, turns = 0.0, []
    for before, turn in pairwise((None, *t.turns)):
        assert turn is not None
        total += turn.reward
        seen = turn.text if turn.is_action else show(turn.text)
        texts = {"text": turn.text.strip(), "seen": seen if seen != turn.text else "", "tiles": _tiles(before, turn)}
        turns.append({"turn": turn, "total": total, **texts})
    told = {key: value for key, value in t.info.items() if key not in ("success", "invalid_actions")}
    invalid = t.info.get("invalid_actions", 0)
    return {"record": t, "turns": turns, "told": told, "invalid": invalid, "success": bool(t.info.get("success"))}


def _tiles(before: Turn | None, turn: Turn) -> list[tuple[str, str]]:
    """(colour, letter of the action that is judged) where an observation is feedback letter by letter, else nothing.

    >>> _tiles(Turn("h i", True), Turn("b g", False))
    [('b', 'h'), ('g', 'i')]
    """
    if turn.is_action or before is None or not _TILES.fullmatch(turn.text.strip()):
        return []
    colours, letters = turn.text.split(), before.text.split()
    return list(zip(colours, letters, strict=True)) if len(letters) == len(colours) else []


def _figures(summary: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """(name, value, interval) of every figure that is not itself the end of an interval."""
    rows = []
    for name, value in summary.items():
        if name.endswith(("_low", "_high")):
            continue
        ends = [summary.get(f"{name}_{end}") for end in ("low", "high")]
        between = " to ".join(f"{end:.4g}" for end in ends if end is not None)
        rows.append((name.replace("_", " "), f"{value:.6g}" if name == "episodes" else f"{value:.4g}", between))
    return rows


@lru_cache
def template(name: str) -> "Template":
    """A page of `lmrl/templates`: what is filled in is escaped, and must be there."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent / "templates")
    options: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    return Environment(loader=folder, autoescape=True, **options).get_template(name)


def table(rows: Mapping[str, Mapping[str, float]]) -> "Table":
    """Rows of `summarise`'s figures, each interval below its figure, in 80 columns; what a row lacks stays empty.

    The score is the published one, or where no row has it that of our own data.
    """
    from rich.box import HORIZONTALS
    from rich.table import Table

    result = Table(box=HORIZONTALS, caption="in brackets: 95 % interval over the n episodes", padding=0, pad_edge=False)
    result.add_column("", style="bold", no_wrap=True)
    scales = [scale for scale in ("paper", "own") if any(f"score_{scale}" in figures for figures in rows.values())]
    by = [*scales, "data"][0]
    for _, title, _, _ in _TABLE:
        result.add_column(title.format(by=by), justify="right", no_wrap=True)
    for name, figures in rows.items():
        result.add_row(name, *(_cell(figures, key.format(by=by), scale, digits) for key, _, scale, digits in _TABLE))
    return result


_TABLE = (
    ("return_mean", "raw\nreturn", 1, 2),
    ("score_{by}", "score\n({by})", 1, 1),
    ("success", "success\n%", 100, 1),
    ("invalid", "invalid\nactions %", 100, 1),
    ("episodes", "\nn", 1, 0),
)
"""Key, title, scale and decimals."""


def _cell(figures: Mapping[str, float], key: str, scale: float, digits: int) -> str:
    text, low, high = (_number(figures.get(key + end), scale, digits) for end in ("", "_low", "_high"))
    return f"{text}\n[dim]\\[{low}, {high}][/dim]" if low and high else text


def _number(value: float | None, scale: float, digits: int) -> str:
    """With three significant digits, or fewer: the columns stay narrow."""
    if value is None:
        return ""
    whole = len(str(int(abs(scale * value))))
    return f"{scale * value:.{max(0, min(digits, 3 - whole))}f}"
