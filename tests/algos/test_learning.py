"""Each algorithm learns what it is for, by the whole platform: its data modules, Lightning, behaviour cloning first.

On Echo a player that says any of the four letters gets -2.25, and the best 0. On Fork the three ways to learn from the
same data part company. Final figures are of 256 games that nothing was chosen on.
"""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from lmrl.config import conf_dir
from lmrl.train import train
from tests import echo, fork
from tests.tabular import greedy_return, implicit_q, monte_carlo

SMALL = [
    "tracking=off",
    "workers=1",
    "model.layers=1",
    "model.width=32",
    "model.positions=32",
    "trainer.precision=32-true",
    "evaluation.times=1",
    "evaluation.episodes=8",
    "evaluation.final_episodes=256",
    "evaluation.transcripts=0",
    "algo.optimizer.lr=3e-3",
    "algo.schedule.warmup=10",
    "data.batch_size=64",
]
CLONED = [
    "init.trainer.max_steps=150",
    "init.algo.optimizer.lr=3e-3",
    "init.algo.schedule.warmup=10",
    "init.data.batch_size=64",
]
VALUES = [
    *CLONED,
    "trainer.max_steps=500",
    "algo.schedule.decay=0.5",  # at a constant rate some seeds end on a swing
    "algo.gamma=1",
    "algo.support=0.05",
    "algo.head_bias=-3",
]
ROUNDS = [*CLONED, "data.episodes=128", "data.passes=2", "data.env_steps=12000"]


def learnt(folder: Path, task: str, algo: str, *overrides: str) -> float:
    """The mean return of the run's final evaluation."""
    (folder / "conf" / "task").mkdir(parents=True, exist_ok=True)
    for name, text in {"echo": echo.CONF, "fork": fork.CONF}.items():
        (folder / "conf" / "task" / f"{name}.yaml").write_text(text)
    typed = [f"hydra.searchpath=[file://{folder}/conf]", f"task={task}", f"algo={algo}", f"cache={folder}/cache"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", overrides=[*typed, *SMALL, *overrides])
    return train(cfg, folder / algo)["final/return_mean"]


@pytest.mark.learn
def test_bc_copies_good_players(tmp_path: Path) -> None:
    """Nine times in ten they know the answer, which makes -0.225; any letter: -2.25."""
    assert learnt(tmp_path, "echo", "bc", "task.data.make.skill=0.9", "trainer.max_steps=150") > -0.5


@pytest.mark.learn
def test_filtered_bc_is_better_than_the_players_it_copies(tmp_path: Path) -> None:
    """Half of the time they know the answer, which makes -1.125; any letter: -2.25."""
    overrides = "task.data.make.skill=0.5", "algo.share=0.2", "trainer.max_steps=150"
    assert learnt(tmp_path, "echo", "filtered_bc", *overrides) > -0.3


@pytest.mark.learn
@pytest.mark.parametrize(
    ("algo", "overrides"),
    [
        ("mc_returns", VALUES),
        ("ilql", [*VALUES, "algo.polyak=0.1"]),
        ("online_filtered_bc", [*ROUNDS, "data.env_steps=24000"]),
        ("ppo", [*ROUNDS, "algo.gamma=1"]),
    ],
)
def test_the_others_learn_echo_from_players_that_know_nothing(tmp_path: Path, algo: str, overrides: list[str]) -> None:
    """The data's mean is -2.25, which is where the cloned policy begins."""
    assert echo.RANDOM == -2.25
    assert learnt(tmp_path, "echo", algo, "task.data.make.skill=0", *overrides) > -0.3


@pytest.mark.learn
def test_where_turns_must_be_stitched_ilql_beats_mc_beats_bc(tmp_path: Path) -> None:
    """Copied -2.75, trusted -2, best 0; any of both ways: -2.25."""
    bc = learnt(tmp_path, "fork", "bc", "trainer.max_steps=150")
    values = [*VALUES, "algo.head_bias=-5"]
    mc = learnt(tmp_path, "fork", "mc_returns", *values)
    ilql = learnt(tmp_path, "fork", "ilql", *values, "algo.polyak=0.1", "algo.tau=0.9")
    assert bc == pytest.approx(fork.COPIED, abs=0.4)
    assert mc == pytest.approx(fork.TRUSTED, abs=0.2)
    assert ilql == pytest.approx(fork.BEST, abs=0.2)


def test_what_fork_says_of_itself_is_what_exact_tables_find() -> None:
    data = list(fork.demonstrations(2000, 0))
    assert sum(episode.total for episode in data) / len(data) == pytest.approx(fork.COPIED, abs=0.1)
    assert greedy_return(monte_carlo(data, gamma=1.0), fork.Fork(), [{}]) == fork.TRUSTED
    assert greedy_return(implicit_q(data, gamma=1.0, tau=0.9, backups=5), fork.Fork(), [{}]) == fork.BEST


def test_players_of_echo_get_what_their_skill_says() -> None:
    for skill in (0.0, 0.5, 0.9, 1.0):
        returns = [episode.total for episode in echo.demonstrations(2000, 0, skill=skill)]
        assert sum(returns) / len(returns) == pytest.approx((1 - skill) * echo.RANDOM, abs=0.1)
