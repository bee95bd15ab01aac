"""What happens beside the steps: when a run looks at itself, and the learning rate that each step has."""

from pathlib import Path

import pytest
from hydra.utils import instantiate

from lmrl.course import Course
from lmrl.evaluate import view_of
from lmrl.signals import listening
from tests.whole import config


def followed(folder: Path, times: int, *overrides: str) -> tuple[list[float], list[float]]:
    """How far a run was whenever it looked at itself, and the learning rate of each of its steps."""
    cfg = config(folder, "task=maze", "init=scratch", *overrides)
    task, model = instantiate(cfg.task, _convert_="all"), instantiate(cfg.model, _convert_="all")()
    algo = instantiate(cfg.algo, _convert_="all")(model)
    data = instantiate(cfg.data, _convert_="all")(task, algo, view_of(task, model), 0, folder)
    seen: list[float] = []
    rates: list[float] = []
    algo.after_step = lambda: rates.append(algo.trainer.optimizers[0].param_groups[0]["lr"])

    def look() -> dict[str, float]:
        seen.append(data.progress() if algo.global_step else 0.0)
        return {}

    with listening() as stop:
        course = Course(data, folder / "last.ckpt", look, stop, times=times, seconds=1e9)
        quiet = {"logger": False, "enable_progress_bar": False, "default_root_dir": folder}
        instantiate(cfg.trainer, _convert_="all")(callbacks=[course], **quiet).fit(algo, data)
    return seen, rates


@pytest.mark.parametrize(("times", "steps"), [(0, []), (1, [20]), (3, [7, 14, 20]), (4, [5, 10, 15, 20])])
def test_a_run_looks_at_itself_as_often_as_asked_and_evenly(tmp_path: Path, times: int, steps: list[int]) -> None:
    seen, _ = followed(tmp_path, times, "algo=bc", "trainer.max_steps=20")
    assert seen == [step / 20 for step in steps]


def test_an_online_run_looks_at_itself_first_and_then_evenly_over_what_it_plays(tmp_path: Path) -> None:
    # nobody ends in 4 turns: 8 of 64 actions a round
    rounds = ("data.env_steps=64", "data.episodes=2", "task.max_turns=4", "data.offline_batch=0", "algo.bc_weight=0")
    seen, _ = followed(tmp_path, 4, "algo=ppo", *rounds)
    assert seen == [0, 0.25, 0.5, 0.75, 1.0]


def test_the_learning_rate_follows_its_schedule_to_the_end_of_the_run(tmp_path: Path) -> None:
    schedule = ("algo.schedule.warmup=4", "algo.schedule.decay=0.4", "algo.schedule.floor=0.3", "algo.optimizer.lr=0.1")
    _, rates = followed(tmp_path, 0, "algo=bc", "trainer.max_steps=20", *schedule)
    shares = [0.25, 0.5, 0.75, 1, *[1] * 9, 0.875, 0.75, 0.625, 0.5, 0.375, 0.3, 0.3]
    assert rates == pytest.approx([0.1 * share for share in shares])
