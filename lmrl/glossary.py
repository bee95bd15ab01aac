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
    "not_understood": "dialogues: actions that our own rules did not understand, as a share of all actions",
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
    "data/actions": "number of actions in the data",
    "train/loss": "what is minimised, on one batch",
    "train/lr": "the optimiser's learning rate",
    "train/grad_norm": "norm of the whole gradient before it is clipped",
    "train/action_nll": "behaviour cloning: negative log-likelihood of an action token, in nats",
    "train/q_loss": "half the squared error of Q against its target, in scaled units",
    "train/v_loss": "expectile loss of V against the target networks' Q, in scaled units",
    "train/cql_loss": "negative log-likelihood of the data's tokens under softmax(Q), CQL's term, if weighted",
    "train/lm_loss": "language-model loss on the value trunk, unweighted",
    "train/q": "mean Q of the data's tokens, in raw units of return",
    "train/v": "mean V where the data acted, in raw units of return",
    "train/target": "mean target of Q, in raw units of return",
    "train/policy_loss": "PPO's clipped surrogate; near 0 at each round's first step",
    "train/value_loss": "half the squared error of V against the round's returns, in scaled units",
    "train/clip_fraction": "share of action tokens whose ratio left 1 ± clip; above 0.3 the steps are too large",
    "train/approx_kl": "KL of the round's first policy to the current one, by the k3 estimator, in nats a token",
    "train/ratio_std": "standard deviation of the ratio of the current policy to the round's first, over action tokens",
    "train/entropy": "entropy of the next-token distribution where the policy acted, in nats",
    "train/bc_loss": "PPO's behaviour-cloning loss on offline windows, unweighted",
    "val/loss": "the training loss on episodes that are held out",
    "round/env_steps": "actions played so far, over all rounds",
    "round/return_mean": "mean raw return of the round's episodes",
    "round/success": "share of the round's episodes that succeed",
    "round/distinct_actions": "distinct texts among the round's actions, as a share of all its actions",
    "round/repeated": "the commonest text's share of the round's actions; at 1 nothing else is said",
    "round/invalid": "invalid actions as a share of all actions of the round",
    "round/kl": "KL of the policy to the one that it began from, by algo.kl_measure, in nats a token",
    "round/kl_coef": "the KL penalty's coefficient in this round",
    "round/entropy": "entropy of the next-token distribution over the round, in nats",
    "round/explained_variance": "share of the variance of a round's returns that V explains; none at 0 or below",
    "fidelity/agreement": "questions to which another speaker gives the answer of the task's own rules, as a share",
    "fidelity/kappa": "the same beyond chance (Cohen's kappa): 0 where the speaker always gives one answer",
    "fidelity/f1": "mean F1 of the words of both answers",
    "fidelity/questions": "number of questions that both were asked",
    "report/*": "mean raw return of a task's player over seeds and episodes, as `lmrl-report` found it",
    "study/value": "a trial's value: the study's metric, aggregated over its seeds as the study says",
    "study/mean": "mean of the study's metric over a trial's seeds, with its interval by Student's t",
    "study/seeds": "number of runs that a trial's figures are made of",
    "study/best": "the best trial's value",
    "study/trials": "number of trials that ended",
    "study/pruned": "share of the trials that were pruned",
    "study/runs": "number of runs that ended",
    "study/diverged": "share of the runs whose loss or gradient stopped being finite",
    "study/collapsed": "share of the runs that collapsed",
    "study/timeout": "share of the runs that were ended at the study's time limit",
    "study/died": "share of the runs that a signal or a fault of their own ended",
    "study/promised": "the value of a trial whose setting is trained again with fresh seeds",
    "study/promised_mean": "mean of the study's metric over that trial's own seeds",
    "study/gap": "mean over the fresh seeds less that over the trial's own, with its interval by Welch's t",
    "study/*": "mean over a trial's seeds of what the study reports beside its objective",
    "train_seconds": "wall-clock seconds of training, evaluations on the way included",
    "steps": "steps of the optimiser",
    "diverged": "1 if a loss or gradient stopped being finite, which ended the run",
    "collapsed": "1 if an online run was worse for good, or said nothing else than one thing or what is invalid",
    "collapsed_at": "actions played when the first sign of that was seen; absent where there was none",
    "epoch": "passes of Lightning's loop; for an online algorithm, rounds",
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
