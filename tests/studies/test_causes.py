"""The ablation of PPO's suspects: that its arms begin from one clone a seed, and differ in what they are named for."""

from pathlib import Path

import pytest

from lmrl.config import config_hash
from lmrl.identity import decisive
from lmrl.studies.plan import composed, read
from lmrl.train import cloning

PLAN = read(Path(__file__).parents[2] / "sweeps" / "ppo_causes.yaml")


def clone(arm: str) -> str:
    """What tells the cloning that an arm begins from."""
    cfg = cloning(composed([*PLAN.setting({"arm": arm}), "seed=301"]))
    return config_hash(type(cfg)(decisive(cfg)))


def test_arms_begin_from_the_same_clone_whatever_they_change_but_the_prompt() -> None:
    begun = {arm: clone(arm) for arm in ("sound", "dropout", "no_gradient_clip", "reference", "prompt")}
    prompt = begun.pop("prompt")
    assert len(set(begun.values())) == 1
    assert prompt not in begun.values()


def test_every_arm_is_a_setting_of_its_own() -> None:
    settings = [tuple(setting) for setting in PLAN.settings()]
    assert len(set(settings)) == PLAN.size == 42


def test_the_reference_has_dropout_in_its_update_and_not_in_its_clone() -> None:
    sound, reference = (composed(PLAN.setting({"arm": arm})) for arm in ("sound", "reference"))
    assert (sound.algo.dropout, sound.model.dropout, sound.model.rows, sound.algo.masked) == (False, 0.0, 512, True)
    assert (reference.algo.dropout, reference.model.dropout, reference.model.rows) == (True, 0.1, 512)
    assert cloning(reference).model.dropout == 0.0


@pytest.mark.parametrize("name", ["again", "hidden"])
def test_what_is_asked_again_is_the_same_on_seeds_that_are_new(name: str) -> None:
    again = read(Path(__file__).parents[2] / "sweeps" / f"ppo_causes_{name}.yaml")
    assert again.arms
    for arm in again.arms:
        setting = [text.replace("task=maze_po", "task=maze") for text in again.setting({"arm": arm})]
        assert setting == PLAN.setting({"arm": arm})
    assert not set(again.each_seed) & set(PLAN.each_seed)
