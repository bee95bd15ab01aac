"""Every number that a run may log, with a sentence each. A test holds it against what runs log; the README lists it."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

_SCORING = {
    "return_mean": "mean raw return (undiscounted sum of rewards) of an episode",
    "return_iqm": "interquartile mean of the raw return: the mean of the middle half of the episodes",
    "return_std": "standard deviation of the raw return over the episodes",
    "success": "share of episodes that the environment calls a success",
    "invalid": "invalid actions as a share of all actions",
    "turns": "mean number of actions in an episode",
    "score_*": "the mean return on a named scale: 0 is its floor, 50 the mean of the data, 100 its best",
    "episodes": "number of episodes that these figures are made of",
}
_PLAYED = {"eval": "while training", "final": "after training, by the published protocol"}

METRICS: Mapping[str, str] = {
    **{f"{stage}/{key}": f"{text}; {when}" for stage, when in _PLAYED.items() for key, text in _SCORING.items()},
    "data/episodes": "number of episodes in the data",
    "data/turns": "mean number of actions in an episode of the data",
    "data/return_mean": "mean raw return of the data",
    "data/return_std": "standard deviation of the raw return over the episodes of the data",
    "data/success": "share of the data's episodes that succeed",
    "data/invalid": "invalid actions as a share of all actions of the data",
    "epoch": "passes over the data so far; for an online algorithm, rounds",
    "system/*": "what MLflow's monitor sees of processor, memory, disk, network and GPU, every ten seconds",
}
"""Name -> sentence. A `*` stands for any text; whatever has an interval is logged with `_low` and `_high` as well."""


def explain(name: str) -> str:
    """The sentence of a metric, or of one end of its interval. Raises KeyError for a name that has none.

    >>> explain("eval/turns_low")
    'mean number of actions in an episode; while training (lower end of its 95 % interval)'
    """
    for ending, words in (
        ("_low", " (lower end of its 95 % interval)"),
        ("_high", " (upper end of its 95 % interval)"),
    ):
        if name.endswith(ending):
            return explain(name.removesuffix(ending)) + words
    for pattern, sentence in METRICS.items():
        if fnmatchcase(name, pattern):
            return sentence
    raise KeyError(f"{name}: no sentence in lmrl/glossary.py says what it is")


def glossary_markdown() -> str:
    """The list as a table for the README.

    >>> print(glossary_markdown().splitlines()[2])
    | `eval/return_mean` | mean raw return (undiscounted sum of rewards) of an episode; while training |
    """
    rows = [f"| `{name}` | {sentence} |" for name, sentence in METRICS.items()]
    return "\n".join(["| metric | meaning |", "|---|---|", *rows, ""])
