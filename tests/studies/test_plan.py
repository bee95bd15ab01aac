from pathlib import Path

import pytest
import yaml

from lmrl.config import ConfigError
from lmrl.studies.plan import composed, made, read

STUDY = """
# How large
# should it be? About four minutes.
study: size
overrides: [task=maze, algo=ppo]
seeds: range(0, 3)
trials: 4
objective: {metric: final/return_mean, over_seeds: iqm, direction: maximize}
space:
  algo.clip: interval(0.05, 0.4)
  data.passes: choice(1, 2, 4)
""".lstrip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "size.yaml").write_text(STUDY)
    return tmp_path / "size.yaml"


def arms(file: Path, **more: list[str]) -> Path:
    """The same study as an ablation."""
    node = yaml.safe_load(STUDY)
    del node["space"], node["trials"]
    file.write_text(yaml.safe_dump({**node, "arms": {"sound": [], **more}}))
    return file


def test_a_study_is_what_its_file_says_and_its_first_comment_is_the_question(file: Path) -> None:
    plan = read(file)
    assert plan.question == "How large should it be?"
    assert (plan.each_seed, plan.size, plan.place) == ([0, 1, 2], 4, Path("outputs/studies/size"))
    assert plan.setting({"algo.clip": 0.1, "data.passes": 2}) == [
        *("task=maze", "algo=ppo", "algo.clip=0.1", "data.passes=2"),
    ]
    plan.check()


def test_changes_are_of_the_study_or_else_of_its_runs(file: Path) -> None:
    plan = read(file, ["trials=9", "objective.over_seeds=mean", "space.algo.clip=interval(0.1,0.2)", "algo.gamma=0.9"])
    assert (plan.trials, plan.objective.over_seeds) == (9, "mean")
    assert plan.space == {"algo.clip": "interval(0.1,0.2)", "data.passes": "choice(1, 2, 4)"}
    assert plan.overrides == ["task=maze", "algo=ppo", "algo.gamma=0.9"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("trials=0", "trials = 0: lmrl.studies.plan.Plan takes int, at least 1, or null"),
        ("trials=null", "trials: say how many settings of the space are tried"),
        ("seeds=[1,1]", "seeds = [1, 1]: at least one, none twice, none below 0"),
        ("seeds=[]", "seeds = []: at least one, none twice, none below 0"),
        ("minutes=0", "minutes = 0: lmrl.studies.plan.Plan takes float, above 0"),
        ("objective=x", "objective = 'x': lmrl.studies.plan.Plan takes lmrl.studies.plan.Objective"),
        (
            "objective.over_seeds=best",
            "objective.over_seeds = 'best': lmrl.studies.plan.Objective takes one of 'iqm', 'mean', 'median', 'lower'",
        ),
        ("objective.flor=1", "objective.flor: lmrl.studies.plan.Objective takes no 'flor'; did you mean 'floor'?"),
        (
            "sampler={_target_: optuna.samplers.TPESampler, sed: 1}",
            "sampler.sed: optuna.samplers.TPESampler takes no 'sed'; did you mean 'seed'?",
        ),
        (
            "sampler=tpe",
            "sampler = 'tpe': lmrl.studies.plan.Plan takes collections.abc.Mapping[str, typing.Any], or null",
        ),
        ("sampler={seed: 1}", "sampler = {'seed': 1}: needs a _target_, one of optuna.samplers"),
        ("pruner={lower: 1}", "pruner = {'lower': 1}: needs a _target_, one of optuna.pruners"),
        ("trials.x=1", "trials.x: trials has no keys of its own"),
        ("arms={a: []}", "space: a study has either a space or arms"),
        ("study=a/b", "study = 'a/b': a name has letters, digits, '_', '.' and '-' only"),
        ("space.algo.clip=0.2", "space.algo.clip = 0.2: is one value; write choice(...), interval(...) or range(...)"),
        ("trials", "trials: not a key=value"),
    ],
)
def test_a_wrong_study_is_told_in_a_line(file: Path, change: str, error: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        read(file, [change])
    assert str(refused.value) == error


def test_what_yaml_cannot_read_or_reads_as_a_date_is_no_traceback(file: Path) -> None:
    with pytest.raises(ValueError, match=r"^seeds=\[1,2: not a value of YAML: .*expected"):
        read(file, ["seeds=[1,2"])
    assert read(file, ["study=2024-01-01"]).study == "2024-01-01"


def test_a_pruner_that_refuses_its_arguments_is_told_with_its_key() -> None:
    with pytest.raises(ValueError, match=r"^pruner = optuna.pruners.MedianPruner: .*=-1\.$"):
        made("pruner", {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": -1})


def test_a_key_that_no_study_has_is_told_with_its_neighbour(file: Path) -> None:
    file.write_text(STUDY.replace("trials:", "trails:"))
    with pytest.raises(ConfigError, match=r"trails: .*\.Plan takes no 'trails'; did you mean 'trials'\?"):
        read(file)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("algo.clpi=0.1", "overrides: algo.clpi: no such key; did you mean 'algo.clip'?"),
        ("algo.gamma=abc", "algo.gamma = 'abc': lmrl.algos.ppo.PPO takes float, at least 0, at most 1"),
        ("task=maize", "overrides: task=maize: no such option; did you mean 'maze'? (there are "),
        ("space.algo.clip=interval(0.0, 0.4)", "algo.clip = 0.0: lmrl.algos.ppo.PPO takes float, above 0"),
        ("space.algo.clip=interval(-0.1, 0.4)", "algo.clip = -0.1: lmrl.algos.ppo.PPO takes float, above 0"),
        ("space.algo.lam=choice(0.9, 1.5)", "algo.lam = 1.5: lmrl.algos.ppo.PPO takes float, at least 0, at most 1"),
        ("space.data.pases=range(1, 3)", "overrides: data.pases: no such key; did you mean 'data.passes'?"),
        ("objective.metric=final/turns", "objective.floor: say what final/turns is worth in a run that "),
        ("objective.direction=minimize", "objective.floor: say what final/return_mean is worth in a run that "),
    ],
)
def test_what_no_run_would_take_is_told_before_any_starts(file: Path, change: str, error: str) -> None:
    plan = read(file, [change])
    with pytest.raises(ValueError, match=r"\w") as refused:
        plan.check()
    assert str(refused.value).startswith(error)
    assert "\n" not in str(refused.value)


def test_each_arm_is_a_trial_and_is_checked(file: Path) -> None:
    plan = read(arms(file, fast=["algo.optimizer.lr=1e-2"], late=["algo.value_lr=${algo.optimizer.lr}"]))
    assert plan.size == 3
    assert plan.setting({"arm": "fast"}) == ["task=maze", "algo=ppo", "algo.optimizer.lr=1e-2"]
    plan.check()
    with pytest.raises(ConfigError, match=r"overrides: algo\.clpi"):
        read(arms(file, wrong=["algo.clpi=1"])).check()
    with pytest.raises(ValueError, match="trials = 5: there are 1 arms"):
        read(arms(file), ["trials=5"])


def test_the_floor_is_stated_or_the_tasks_or_nothing_of_a_share(file: Path) -> None:
    cfg = composed(["task=maze", "algo=ppo"])
    floors = {
        "objective.metric=final/return_iqm": -101.0,
        "objective.metric=final/success": 0.0,
        "objective.floor=-500": -500.0,
    }
    assert {change: read(file, [change]).floor(cfg) for change in floors} == floors


def identity(file: Path, *changes: str) -> str:
    return read(file, changes).identity


def test_what_decides_a_trials_value_is_the_studys_identity_and_nothing_else(file: Path) -> None:
    same = identity(file)
    for change in ("trials=9", "cache=elsewhere", "tracking.uri=null", "minutes=3", "beside=[diverged]"):
        assert identity(file, change) == same
    for change in ("seeds=[0]", "algo.gamma=0.9", "objective.over_seeds=mean", "space.data.passes=choice(1,2)"):
        assert identity(file, change) != same
