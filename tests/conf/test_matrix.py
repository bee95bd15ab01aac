"""Every file of the config tree composes and passes the check; nothing is built.

The folders are listed, so a new file has its test already. Tasks and algorithms meet in full; of the other axes each
option is tried once, since they do not look at each other.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, ListConfig, OmegaConf

from lmrl.config import ConfigError, check, conf_dir
from lmrl.overrides import parsed
from lmrl.signatures import from_source, imported
from lmrl.usage import examples

CONF = conf_dir()


def options(group: str) -> list[str]:
    return sorted(str(path.relative_to(CONF / group).with_suffix("")) for path in (CONF / group).rglob("*.yaml"))


@cache
def composed(root: str, *overrides: str) -> DictConfig:
    """A config that nobody may change: the same one is given to all who ask."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(root, overrides=list(overrides))


@pytest.mark.parametrize("algo", options("algo"))
@pytest.mark.parametrize("task", options("task"))
def test_every_task_goes_with_every_algorithm(task: str, algo: str) -> None:
    check(composed("train", f"task={task}", f"algo={algo}", "model=tiny"))


@pytest.mark.parametrize("hardware", options("hardware"))
@pytest.mark.parametrize("model", options("model"))
def test_every_model_goes_with_all_hardware(model: str, hardware: str) -> None:
    check(composed("train", "task=maze", "algo=ilql", f"model={model}", f"hardware={hardware}"))


@pytest.mark.parametrize("group", ["data", "init", "tracking", "debug", "experiment"])
def test_every_option_of_the_other_groups_composes(group: str) -> None:
    for option in options(group):
        algo = "ppo" if option.startswith("ppo_") else "bc"  # an experiment may be of one algorithm
        check(composed("train", "task=wordle", f"algo={algo}", f"{group}={option}"))


@pytest.mark.parametrize("simulator", options("simulator"))
@pytest.mark.parametrize("root", ["train", "play", "prepare", "fidelity"])
def test_every_speaker_composes_in_every_command(root: str, simulator: str) -> None:
    cfg = composed(root, "task=car_dealer", f"simulator={simulator}", *(["algo=bc"] if root == "train" else []))
    check(cfg)
    assert cfg.task.env.simulator == cfg.task.facts.simulator == cfg.simulator


@pytest.mark.parametrize("tuned", options("tuned"))
def test_tuned_settings_are_what_their_pair_takes(tuned: str) -> None:
    """They are named tuned/<task>/<algo>/<model>, and the run that they are for finds them by itself."""
    task, algo, model = tuned.split("/")
    cfg = composed("train", f"task={task}", f"algo={algo}", f"model={model}")
    assert OmegaConf.merge(cfg, OmegaConf.load(CONF / "tuned" / f"{tuned}.yaml")) == cfg
    check(cfg)


PUBLISHED = {
    ("maze", "filtered_bc"): {"algo.successes_only": True, "algo.share": 1.0, "data.batch_size": 128},
    ("maze", "online_filtered_bc"): {"algo.successes_only": True, "algo.share": 1.0, "data.episodes": 128},
    ("maze", "mc_returns"): {"algo.beta": 16.0, "algo.cql_weight": 0.5, "algo.gamma": 0.99},
    ("maze", "ilql"): {"algo.tau": 0.99, "algo.beta": 16.0, "algo.cql_weight": 0.5, "init.algo.optimizer.lr": 1e-4},
    ("maze", "ppo"): {"algo.optimizer.lr": 1e-6, "algo.kl_coef": 0.1, "algo.bc_weight": 0.0, "data.episodes": 512},
    ("text_nav", "filtered_bc"): {"algo.successes_only": True, "algo.share": 1.0, "algo.optimizer.lr": 1e-4},
    ("text_nav", "mc_returns"): {"algo.beta": 4.0, "algo.cql_weight": 0.001, "algo.optimizer.lr": 1e-4},
    ("text_nav", "ilql"): {"algo.beta": 1.0, "algo.cql_weight": 0.001, "algo.tau": 0.7, "data.batch_size": 128},
    ("text_nav", "ppo"): {
        "algo.optimizer.lr": 5e-6,
        "algo.kl_coef": 0.01,
        "algo.bc_weight": 0.0,
        "data.episodes": 4000,
    },
    ("wordle", "filtered_bc"): {"algo.successes_only": False, "algo.share": 0.3, "algo.optimizer.lr": 1e-4},
    ("wordle", "mc_returns"): {"algo.gamma": 1.0, "algo.beta": 64.0, "algo.cql_weight": 0.01, "data.batch_size": 32},
    ("wordle", "ilql"): {"algo.tau": 0.7, "algo.beta": 32.0, "algo.optimizer.lr": 3e-5, "data.batch_size": 32},
    ("wordle", "ppo"): {"algo.optimizer.lr": 3e-5, "algo.bc_weight": 10.0, "data.offline_batch": 32},
}
"""What LMRL-Gym's appendix says, and the scripts say where it is silent; both mazes share it, and both Text-Navs."""
MAZE = {
    "task.max_turns": 101,  # the clock answers the move after the hundredth
    "task.starts._target_": "lmrl.tasks.maze.starts",
    "task.score.floor": -101,
    "task.score.mean": -83,
    "evaluation.final_episodes": 800,  # 32 from each of 25 starts
}
TEXT_NAV = {
    "task.env.objective": "ours",  # which the reference meant to tell and did not
    "task.env.engine": "own",
    "task.max_turns": 15,  # of its data and its notebook for people; its environment has no clock
    "task.context": None,
    "task.starts": None,
    "task.data.episodes": 2500,
    "task.data.make.horizon": 15,
    "task.score.floor": 0,
    "task.score.mean": 0.26,
    "task.score.best": 1,
}
TALK = {"simulator._target_": "lmrl.dialogue.Scripted", "task.context": None, "task.starts": None}
TASKS = {
    "maze": MAZE
    | {"task.env.observed": "fully", "task.data.make.observed": "fully", "task.phrases.observed": "fully"}
    | {"task.context": 1, "task.score.best": -6.84},
    "maze_po": MAZE
    | {"task.env.observed": "partially", "task.data.make.observed": "partially", "task.phrases.observed": "partially"}
    | {"task.context": 40, "task.score.best": -25.75},
    "text_nav": TEXT_NAV
    | {"task.env.observed": "fully", "task.data.make.observed": "fully", "task.phrases.observed": "fully"},
    "text_nav_po": TEXT_NAV
    | {"task.env.observed": "partially", "task.data.make.observed": "partially", "task.phrases.observed": "partially"},
    "twenty_questions": TALK
    | {"task.max_turns": 20, "task.score.floor": -20, "task.score.mean": -17.3, "task.score.best": -12.6},
    "guess_city": TALK
    | {"task.max_turns": 20, "task.score.floor": -20, "task.score.mean": -18.8, "task.score.best": -8.56},
    "car_dealer": TALK
    | {"task.env.mode": "revenue", "task.env.reject": "capped", "task.max_turns": 25}  # 50 lines of both
    | {"task.data.make.mode": "revenue", "task.data.make.horizon": 25, "task.score.mode": "revenue"},
    "wordle": {
        "task.env.rules": "lmrl",
        "task.env.bad_word_reward": -1.0,  # of its evaluation; it trains with -10
        "task.data.make.rules": "lmrl",
        "task.data.make.smart": 0.3333,  # nowhere said: a third gives the mean of its data
        "task.max_turns": 6,
        "task.context": None,
        "task.starts": None,
        "task.score.floor": -6,
        "task.score.mean": -4.121715,
        "task.score.best": -1.935,
        "evaluation.final_episodes": 4096,
    },
}
"""LMRL-Gym's tasks (abdulhaim/LMRL-Gym at 911d726): `maze/env/`, `wordle/env/`, the evaluation scripts, and the scores'
constants of `maze/misc/compute_score_normalizations.py` and `wordle/load_results.py`. Every algorithm plays just them.
"""
SETTINGS = [(pair, "gpt2", wanted) for pair, wanted in PUBLISHED.items()]
SETTINGS += [(("maze_po", algo), "gpt2", wanted) for (task, algo), wanted in PUBLISHED.items() if task == "maze"]
SETTINGS += [
    (("text_nav_po", algo), "gpt2", wanted) for (task, algo), wanted in PUBLISHED.items() if task == "text_nav"
]
SETTINGS += [
    ((task, algo), model, wanted)
    for task, wanted in TASKS.items()
    for algo, model in [*((algo, "tiny") for algo in options("algo")), ("bc", "gpt2")]
]


@pytest.mark.parametrize(("pair", "model", "wanted"), SETTINGS)
def test_published_settings_reach_their_run(pair: tuple[str, str], model: str, wanted: dict[str, object]) -> None:
    cfg = composed("train", f"task={pair[0]}", f"algo={pair[1]}", f"model={model}")
    assert {key: OmegaConf.select(cfg, key) for key in wanted} == wanted


@pytest.mark.parametrize("root", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_every_root_composes(root: str) -> None:
    check(composed(root, *examples(root, parsed([])), *(["ckpt=last.ckpt"] if root == "evaluate" else [])))


WRONG = {
    "train task=wordle algo=ppo": [
        *("seed=-1", "seed=abc", "policy=greddy", "workers=0", "upload_checkpoint=2", "hardware.threads=0"),
        *("evaluation.times=abc", "evaluation.episodes=0", "evaluation.final_episodes=0", "evaluation.transcripts=-1"),
        *("task.max_turns=0", "task.context=0", "task.max_new_tokens=0", "task.data.make.smart=7", "task.data.seed=-1"),
        *(
            "model.positions=0",
            "model.std=0.0",
            "model.dropout=1.0",
            "algo.gamma=1.1",
            "algo.lam=-0.1",
            "algo.clip=0.0",
        ),
        *("algo.schedule.decay=2.0", "algo.reward_scale=0.0", "algo.bc_weight=-0.1", "algo.discount=word"),
        *("data.batch_size=0", "data.env_steps=0", "data.passes=0", "data.offline_batch=-1"),
    ],
    "train task=maze algo=ilql": [
        *("algo.tau=1.5", "algo.polyak=-1.0", "algo.beta=-1.0", "algo.support=2.0", "algo.cql_weight=-1.0"),
        *("data.holdout=1.0", "task.data.make.skill=1.5", "task.data.make.border=-1"),
    ],
    "train task=text_nav algo=bc": [
        *("task.env.engine=inform", "task.env.objective=mine", "task.env.observed=half"),
        *("task.data.make.follow=1.5", "task.data.make.outskirts=-1"),
    ],
    "train task=maze algo=filtered_bc": ["algo.share=0.0", "algo.share=1.1", "algo.observation_weight=-0.1"],
    "play task=maze": ["games=0", "games=abc", "first_seed=-1"],
    "evaluate ckpt=last.ckpt": [
        *(
            "policy=best",
            "evaluation.final_episodes=0",
            "evaluation.first_seed=x",
            "hardware.attention=fast",
        ),
    ],
    "prepare task=maze": ["workers=0", "task.data.episodes=0", "export=3"],
}


@pytest.mark.parametrize(("line", "wrong"), [(line, wrong) for line, all_ in WRONG.items() for wrong in all_])
def test_a_value_out_of_range_is_refused_before_anything_is_imported(line: str, wrong: str) -> None:
    key, _, value = wrong.partition("=")
    cfg = composed(*line.split()).copy()
    OmegaConf.update(cfg, key, yaml.safe_load(value))
    with pytest.raises(ConfigError) as refused:
        check(cfg, from_source)
    assert str(refused.value).replace("'", "").startswith(f"{key} = {value}: ")


def targets(node: object) -> Iterator[str]:
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield node._target_
        for _, child in node.items_ex(resolve=False):
            yield from targets(child)
    if isinstance(node, ListConfig):
        for child in node:
            yield from targets(child)


def named_targets() -> list[str]:
    cfgs = [composed("train", "task=wordle", f"algo={algo}") for algo in options("algo")]
    return sorted({target for cfg in cfgs for target in targets(cfg)})


@pytest.mark.parametrize("target", named_targets())
def test_what_the_command_line_checks_is_what_the_constructor_takes(target: str) -> None:
    """Read from the source, before anything is imported, or read from the object: the same parameters."""
    read, loaded = from_source(target), imported(target)
    if target.startswith("lmrl."):
        assert read is not None, "the command line cannot check it early"
    if read and loaded:
        assert {n: (p.kind, p.default is p.empty) for n, p in read.parameters.items()} == {
            n: (p.kind, p.default is p.empty) for n, p in loaded.parameters.items()
        }


def test_each_group_that_must_be_chosen_has_its_folder() -> None:
    assert {Path(path).name for path in CONF.iterdir() if path.is_dir()} >= {
        "task",
        "algo",
        "data",
        "model",
        "hardware",
    }
