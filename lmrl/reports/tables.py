"""The figures of a report as text: the cells of CSV, tables of Markdown, and how a number is told."""

from collections.abc import Iterable, Iterator

from lmrl.reports.aggregate import Estimate
from lmrl.reports.board import Board, Line


def cells(board: Board, line: Line) -> dict[str, object]:
    """A line as flat values, for CSV; what is not known is empty."""
    row, verdict, scale = line.row, line.verdict, line.scale
    values = {
        "task": board.task,
        "facts": " · ".join(board.facts),
        "algo": row.algo,
        "model": row.model,
        "policy": row.policy,
        "seeds": len(row.runs),
        "seed_list": " ".join(run.params["seed"] for run in row.runs),
        "episodes_a_seed": row.episodes[1],
        "episodes_kept": row.kept,
        **_ends("return_mean", line.mean),
        **_ends("return_iqm", line.iqm),
        "scale": scale[0] if scale else "",
        **_ends("score", line.score),
        "success": row.share("success"),
        "invalid": row.share("invalid"),
        "train_minutes": row.minutes,
        "rank": rank(board, line)[0],
        "rank_share": rank(board, line)[1],
        "paper_return": "" if line.paper is None else line.paper,
        "verdict": verdict.word if verdict else "",
        "why": verdict.why if verdict else "",
        "setting": row.setting,
        "other_settings": " ".join(f"{name}:{count}" for name, count in row.others.items()),
    }
    return {name: "" if value != value else value for name, value in values.items()}


def _ends(name: str, found: Estimate | None) -> dict[str, object]:
    values = ("", "", "") if found is None else (found.value, found.low, found.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def rank(board: Board, line: Line) -> tuple[int, float]:
    """A line's commonest rank on its board and how often it has it."""
    shares = board.ranks[list(board.lines).index(line)]
    return int(shares.argmax()) + 1, float(shares.max())


def seeds(line: Line) -> str:
    """`3 × 800`."""
    fewest, most = line.row.episodes
    return f"{len(line.row.runs)} × {most if fewest == most else f'{fewest} to {most}'}"


def number(value: float) -> str:
    """Three significant digits, at most three behind the point.

    >>> number(-6.8403), number(-82.06), number(0.98051), number(-401.0)
    ('-6.84', '-82.1', '0.981', '-401')
    """
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:.{max(0, 3 - whole)}f}"


def between(found: Estimate) -> str:
    """`[-7.1, -6.9]`."""
    return f"[{number(found.low)}, {number(found.high)}]"


def percent(share: float) -> str:
    """A share of 1 as a percentage; nothing for what is not known."""
    return f"{100 * share:.1f}" if share == share else ""


def escaped(text: str) -> str:
    r"""For a cell of a Markdown table.

    >>> print(escaped("a|b"))
    a\|b
    """
    return text.replace("|", r"\|")


def markdown_row(values: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(map(escaped, values))} |"


def as_markdown(board: Board) -> Iterator[str]:
    """The table of a task, line by line."""
    titles = ("player", "model", "seeds × episodes", "raw return", "IQM", "score", "success, %", "invalid, %", "paper")
    yield markdown_row([*titles, "verdict"])
    yield f"|{'---|' * (len(titles) + 1)}"
    for line in board.lines:
        verdict = line.verdict
        values = [
            line.name,
            line.row.model,
            seeds(line) + ("" if line.row.kept else ", summaries alone"),
            f"{number(line.mean.value)} {between(line.mean)}",
            number(line.iqm.value),
            f"{line.score.value:.0f} ({line.scale[0]})" if line.score and line.scale else "",
            percent(line.row.share("success")),
            percent(line.row.share("invalid")),
            "" if line.paper is None else f"{line.paper:g}",
            "" if verdict is None else f"{verdict.word}{f': {verdict.why}' if verdict.why else ''}",
        ]
        yield markdown_row(values)
