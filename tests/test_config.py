from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
from omegaconf import DictConfig, OmegaConf

from lmrl.config import ConfigError, check, conf_dir, config_hash, suggest


@dataclass
class Player:
    name: str
    lives: int | None = None


class Learner:
    def __init__(
        self,
        model: object,
        *,
        clip: float,
        backup: Literal["token", "turn"],
        steps: Sequence[int] = (),
        player: Player | None = None,
    ) -> None: ...


def play(*, player: Player, turns: int) -> None: ...


def node(text: str) -> DictConfig:
    cfg = OmegaConf.create(text.replace("HERE", __name__))
    assert isinstance(cfg, DictConfig)
    return cfg


LEARNER = "{_target_: HERE.Learner, _partial_: true, clip: 0.2, backup: turn}"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        check(node(text))
    return str(refused.value).replace(__name__, "HERE")


@pytest.mark.parametrize(
    "text",
    [
        f"algo: {LEARNER}",
        "algo: {_target_: HERE.Learner, model: {}, clip: 1, backup: token, steps: [1, 2]}",
        "a: {_target_: HERE.Player, name: ada, lives: null}",
        "a: {_target_: HERE.Player, _args_: [ada], lives: 3}",
        "a: {_target_: HERE.play, turns: 3, player: {_target_: HERE.Player, name: ada}}",
        "{a: {_target_: HERE.play, turns: 3, player: '${b}'}, b: {_target_: HERE.Player, name: ada}}",
        "{a: {_target_: HERE.Player, name: '${..title}'}, title: ada}",
        "a: {_target_: HERE.Player, name: '${hydra:job.name}'}",  # only Hydra's runtime can tell
        "a: {_target_: builtins.dict, anything: goes}",
        "{a: null, b: '???', c: [1, null]}",
    ],
)
def test_an_honest_config_passes(text: str) -> None:
    check(node(text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "algo: {_target_: HERE.Learner, _partial_: true, clpi: 0.2, backup: turn}",
            "algo.clpi: HERE.Learner takes no 'clpi'; did you mean 'clip'?",
        ),
        (
            "a: {_target_: HERE.Player, name: ada, horizon: 3}",
            "a.horizon: HERE.Player takes no 'horizon'; there are name, lives",
        ),
        (
            "algo: {_target_: HERE.Learner, _partial_: true, clip: abc, backup: turn}",
            "algo.clip = 'abc': HERE.Learner takes float",
        ),
        (
            "algo: {_target_: HERE.Learner, _partial_: true, clip: 0.2, backup: turns}",
            "algo.backup = 'turns': HERE.Learner takes one of 'token', 'turn'",
        ),
        ("a: {_target_: HERE.Player, name: ada, lives: 0.5}", "a.lives = 0.5: HERE.Player takes int or null"),
        (
            "algo: {_target_: HERE.Learner, _partial_: true, backup: turn}",
            "algo.clip: HERE.Learner needs 'clip' and no config sets it",
        ),
        (
            "algo: {_target_: HERE.Learner, clip: 0.2, backup: turn}",
            "algo.model: HERE.Learner needs 'model' and no config sets it",
        ),
        (
            "a: {_target_: HERE.play, turns: 3, player: {_target_: HERE.Player, nam: ada}}",
            "a.player.nam: HERE.Player takes no 'nam'; did you mean 'name'?",
        ),
        (
            "{all: [{_target_: HERE.Player, name: ada}, {_target_: HERE.Player}]}",
            "all.1.name: HERE.Player needs 'name' and no config sets it",
        ),
        (
            "a: {_target_: HERE.Player, name: '???'}",
            "a.name = ???: it has no default; give it one by a.name=VALUE",
        ),
        (
            "a: {_target_: HERE.Player, name: '${nam}'}",
            "a.name = ${nam}: Interpolation key 'nam' not found",
        ),
        ("{a: {_target_: HERE.Player, name: '${b}'}, b: 3}", "a.name = 3: HERE.Player takes str"),
        ("a: {_target_: lmrl.nope.X}", "a._target_ = lmrl.nope.X: No module named 'lmrl.nope'"),
        ("{_target_: HERE.Player}", "name: HERE.Player needs 'name' and no config sets it"),
    ],
)
def test_a_wrong_config_is_refused_with_its_full_key(text: str, complaint: str) -> None:
    assert refusal(text).splitlines()[0] == complaint


def test_a_hash_sees_values_and_neither_order_nor_how_they_were_written() -> None:
    assert config_hash(node("{a: 1, b: 2}")) == config_hash(node("{b: 2, a: 1}"))
    assert config_hash(node("{x: {a: '${y}'}, y: 1}").x) == config_hash(node("{a: 1}"))
    assert config_hash(node("{a: 1}")) != config_hash(node("{a: 2}"))
    assert config_hash(node("{a: 1}")) == "f9d86028c6e0"  # sha256 of {"a": 1}


def test_a_suggestion_is_the_nearest_name_or_all_of_them() -> None:
    assert suggest("algoo", ["algo", "task"]) == "; did you mean 'algo'?"
    assert suggest("zzz", ["algo", "task"]) == "; there are algo, task"
    assert suggest("zzz", []) == ""


def test_the_config_tree_is_found() -> None:
    assert (conf_dir() / "train.yaml").is_file()
