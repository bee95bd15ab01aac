"""`lmrl-sweep sweeps/STUDY.yaml`: carry an Optuna study to its number of trials, from wherever it stopped.

The same command in another terminal, or on another machine with the same storage, is another worker of the same study.
A worker ends when all trials have, since it takes up those of workers that die.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import optuna

from lmrl.cli import GOES_ON, settled
from lmrl.studies.job import training
from lmrl.studies.ledger import Ledger
from lmrl.studies.plan import Plan, read
from lmrl.studies.retraining import retrain
from lmrl.studies.standings import figures_of, figures_of_study, show, told
from lmrl.studies.study import Desk
from lmrl.studies.trial import Attempt, Setting

POLL = 1.0
"""Seconds between two looks for a trial, while others have them all."""


def main(arguments: Sequence[str] | None = None, command: Sequence[str] | None = None) -> int:
    """The command; its exit status, as of `lmrl.cli`. command: what trains, if not `lmrl`."""
    args = _parsed(sys.argv[1:] if arguments is None else arguments)
    return settled(lambda: _answer(args, command), "train", GOES_ON)


def _parsed(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("lmrl-sweep", description="Run a study, or go on with it, or join its workers.")
    parser.add_argument("file", type=Path, help="the study, such as sweeps/ppo_stability.yaml")
    parser.add_argument(
        "changes", nargs="*", default=[], metavar="key=value", help="changes to the study, or else to all its runs"
    )
    parser.add_argument("--status", action="store_true", help="show how it stands, and run nothing")
    parser.add_argument("--retrain", metavar="best|N", help="train a trial's setting again, with fresh seeds")
    parser.add_argument("--seeds", metavar="5,6,7", help="of --retrain; if not given, those after the study's own")
    return parser.parse_intermixed_args(list(arguments))


def _answer(args: Namespace, command: Sequence[str] | None) -> int:
    plan = read(args.file, args.changes)
    if args.seeds and not args.retrain:
        raise ValueError("--seeds: is of --retrain; a study's own are changed by seeds=[5,6,7]")
    if args.status:
        show(Desk(plan, begin=False).study, plan.size)
    elif args.retrain:
        retrain(Desk(plan, begin=False), args.retrain, args.seeds, command)
    else:
        show(carry(plan, command).study, plan.size)
        print(f"next: lmrl-sweep {args.file} --retrain best")
    return 0


def carry(plan: Plan, command: Sequence[str] | None = None) -> Desk:
    """Work on a study until all its trials have ended.

    Raises ConfigError and ValueError before it begins if the plan is wrong, and ValueError if a run is refused, or the
    storage or MLflow's store does not answer.
    """
    configs = plan.check()
    desk = Desk(plan)
    ledger = Ledger(plan, configs[0].tracking)
    with training(configs, command) as command:
        _work_on(desk, ledger, command)
    with desk.alone(), ledger.page("study", "summary", desk.study, {}) as page:
        page.write(figures_of_study(desk.study), {})
    return desk


def _work_on(desk: Desk, ledger: Ledger, command: Sequence[str]) -> None:
    worked = True
    while left := desk.left():
        with desk.trial() as trial:
            if trial is not None:
                _work(desk, trial, ledger, command)
        if trial is None:
            print(f"waiting for other workers: {left} trials\n" * worked, end="", flush=True)
            time.sleep(POLL)
        worked = trial is not None


def _work(desk: Desk, trial: optuna.Trial, ledger: Ledger, command: Sequence[str]) -> None:
    """Carry a trial to its end and tell the study. What was interrupted is left to whoever comes next."""
    print(f"trial {trial.number}: {told(trial.params)}", flush=True)
    plan = desk.plan
    with ledger.page("trial", f"trial-{trial.number}", trial, trial.params) as page:
        extra = [*ledger.overrides, *page.overrides]
        setting = Setting(plan, plan.setting(trial.params), plan.place / f"trial-{trial.number}", extra, command)
        attempt, value = Attempt(trial, setting, desk.hold), None
        try:
            value = attempt.carry()
        except optuna.TrialPruned:
            print(f"trial {trial.number}: pruned", flush=True)
        else:
            print(f"trial {trial.number}: {value:.4g}", flush=True)
        page.write(figures_of(value, attempt.outcomes), {"state": "pruned" if value is None else "complete"})
    desk.tell(trial, value)


if __name__ == "__main__":
    sys.exit(main())
