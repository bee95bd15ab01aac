"""Pictures for pages: inline SVG, colours that colour-blind people tell apart (Okabe and Ito 2008), and markers too.

Each is drawn for a column as wide as a phone, in which its letters can still be read.
"""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from lmrl.reports.aggregate import Estimate, Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT = "#22242a", "#6b7080"
_LOOKS = {
    "bc": ("#6b7080", "o", "-"),
    "filtered_bc": ("#b27400", "s", "--"),
    "online_filtered_bc": ("#56b4e9", "D", "-."),
    "mc_returns": ("#009e73", "^", "-"),
    "ilql": ("#0072b2", "v", "--"),
    "ppo": ("#d55e00", "P", "-."),
    "prompting": ("#cc79a7", "X", ":"),
}
_PLAIN = ("#0072b2", "o", "-")
_WIDTH = 4.2
"""Inches; of 72 units each, on a phone in about 340 pixels."""


def look(name: str, place: int | None = None) -> tuple[str, str, str]:
    """Colour, marker and line of an algorithm, or of anything else by its place; without one, they are all alike."""
    looks = list(_LOOKS.values())
    return _LOOKS.get(name) or (_PLAIN if place is None else looks[place % len(looks)])


def drawn(height: float) -> "tuple[Figure, Axes]":
    """An empty picture, so many inches high."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"font.size": 10, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT}):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def svg(figure: "Figure", label: str) -> str:
    """A picture to stand in a page, as wide as its column; label: what it shows, for who cannot see it."""
    from html import escape

    from matplotlib import rc_context

    out = StringIO()
    with rc_context({"svg.hashsalt": label}):  # the same picture has the same names, and no two have them in common
        figure.savefig(out, format="svg", metadata={"Date": None})
    body = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue(), flags=re.S)
    opening = f'<svg role="img" aria-label="{escape(label)}" class="picture" '
    return re.sub(r"^.*?<svg ", opening, body, count=1, flags=re.S)


def intervals(
    rows: Sequence[tuple[str, str, Estimate]],
    unit: str,
    label: str,
    *,
    marks: Mapping[int, float] = {},
    line: tuple[str, float] | None = None,
) -> str:
    """Dots with their intervals, the first row on top. rows: text, whose look it has, figure.

    marks: by row, another figure, drawn as a hollow diamond; line: the name and place of a dashed line through all.
    """
    figure, axes = drawn(0.75 + (0.3 if len(rows) < 16 else 0.2) * len(rows))
    for place, (_, name, found) in enumerate(rows):
        colour, marker, _ = look(name)
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot([found.value], [place], marker=marker, color=colour, markersize=7, markeredgecolor="white")
    if marks:
        hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "marker": "D", "zorder": 3}
        axes.scatter(list(marks.values()), list(marks), s=38, label="the paper's", **hollow)
    if line:
        axes.axvline(line[1], color=SOFT, linestyle="--", linewidth=1, label=line[0], zorder=0)
    axes.set_yticks(range(len(rows)), [text for text, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(unit)
    if line or marks:
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0, fontsize=9)
    return svg(figure, label)


def curves(
    lines: Mapping[str, tuple[Floats, Floats, Floats, Floats]], x: str, y: str, label: str, *, steps: bool = False
) -> str:
    """Curves with the bands of their intervals. lines: x, y, low and high of each, by name; y is a share."""
    columns = 3 if max(map(len, lines)) < 20 else 1
    figure, axes = drawn(3 + 0.2 * len(lines) / columns)
    for place, (name, (at, values, low, high)) in enumerate(lines.items()):
        colour, _, style = look(name, place)
        axes.plot(at, values, color=colour, linestyle=style, label=name, drawstyle="steps-post" if steps else "default")
        axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0, step="post" if steps else None)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderpad=0, fontsize=9)
    return svg(figure, label)


def stacked(names: Sequence[str], shares: Floats, label: str) -> str:
    """A bar a name, cut into the shares of each rank, [name, rank]; light is the first."""
    from matplotlib import colormaps

    figure, axes = drawn(0.9 + 0.32 * len(names))
    colours = colormaps["cividis_r"](np.linspace(0.05, 0.95, shares.shape[1]))
    left = np.zeros(len(names))
    for rank, colour in enumerate(colours):
        width = 100 * shares[:, rank]
        bar: dict[str, Any] = {"color": colour, "height": 0.72, "edgecolor": "white", "label": f"{rank + 1}"}
        axes.barh(range(len(names)), width, left=left, **bar)
        for place in np.flatnonzero(width >= 12).tolist():
            ink = INK if np.dot(colour[:3], (0.3, 0.6, 0.1)) > 0.5 else "white"
            middle = left[place] + width[place] / 2
            axes.text(middle, place, f"{width[place]:.0f}", ha="center", va="center", color=ink, fontsize=9)
        left += width
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the draws, %")
    axes.grid(visible=False)
    spare: dict[str, Any] = {"borderpad": 0, "fontsize": 9, "handlelength": 1, "columnspacing": 1, "title_fontsize": 9}
    axes.legend(title="rank", frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=8, **spare)
    return svg(figure, label)
