import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import lmrl
from lmrl.config import conf_dir
from lmrl.gym import ENVS, TextGym
from lmrl.tasks.maze import Maze

IDS = [
    "lmrl/CarDealer-v0",
    "lmrl/Chess-v0",
    "lmrl/Endgames-v0",
    "lmrl/GuessCity-v0",
    "lmrl/Maze-v0",
    "lmrl/MazePO-v0",
    "lmrl/TextNav-v0",
    "lmrl/TextNavPO-v0",
    "lmrl/TwentyQuestions-v0",
    "lmrl/Wordle-v0",
]


TASKS = sorted(path.stem for path in (conf_dir() / "task").glob("*.yaml"))


@pytest.mark.parametrize("name", IDS)
def test_gymnasiums_own_checker_has_nothing_to_say(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(name).unwrapped)


@pytest.mark.parametrize("name", IDS)
def test_what_is_said_lies_in_the_spaces(name: str):
    env = gymnasium.make(name)
    text, info = env.reset(seed=0)
    assert text in env.observation_space
    assert all(action in env.action_space for action in info.get("legal_actions", ()))
    for action in [*info.get("legal_actions", ())[:3], "nonsense", ""]:
        assert env.step(action)[0] in env.observation_space


def test_a_maze_is_played_from_a_named_start():
    env = gymnasium.make("lmrl/Maze-v0")
    text, info = env.reset(seed=0, options={"start": [7, 6]})
    assert text.endswith("position 7, 6. There are walls to your right, to your left.\n")
    assert (info["success"], info["invalid_action"], info["turn"], len(info["legal_actions"])) == (False, False, 0, 4)
    text, reward, terminated, truncated, info = env.step("north\n")
    assert (reward, terminated, truncated, info["invalid_action"], info["turn"]) == (-4.0, False, False, True, 1)
    text, reward, terminated, truncated, info = env.step("move down\n")
    assert (text, reward, terminated, truncated) == ("Success\n", 0.0, True, False)
    assert (info["success"], info["invalid_action"], info["turn"]) == (True, False, 2)


def test_the_clock_truncates_and_does_not_terminate():
    env = gymnasium.make("lmrl/MazePO-v0")
    env.reset(seed=0, options={"start": [1, 1]})
    last = [env.step("move up\n") for _ in range(101)][-1]
    assert (last[0], last[2], last[3]) == ("Failure\n", False, True)


def test_gymnasium_make_passes_on_what_wordle_takes(tmp_path: Path):
    (tmp_path / "w.txt").write_text("error\nrobin\n")
    env = gymnasium.make("lmrl/Wordle-v0", words=str(tmp_path / "w.txt"), rules="official", bad_word_reward=-10.0)
    _, info = env.reset(options={"word": "robin"})
    assert info["legal_actions"] == ("e r r o r\n", "r o b i n\n")
    assert env.step("error")[:2] == ("b y b y b\n", -1.0)
    assert env.step("sugar")[:2] == ("\n", -10.0)
    *_, info = env.step("robin")
    assert (info["success"], info["word"]) == (True, "robin")


def test_text_nav_is_played_from_a_named_room_until_the_clock_ends_it(tmp_path: Path):
    env = gymnasium.make("lmrl/TextNavPO-v0", objective="reference", horizon=2, cache=str(tmp_path))
    text, info = env.reset(seed=0, options={"room": "garden"})
    assert "Your task for today is to close the fridge in the kitchen.\n" in text
    assert info["legal_actions"] == ("go south\n",)
    *_, info = env.step("dig\n")
    assert (info["invalid_action"], info["legal_actions"]) == (True, ("go south\n",))
    *_, terminated, truncated, info = env.step("go south")
    assert (terminated, truncated, info["turn"], info["success"], info["room"]) == (False, True, 2, False, "garden")


def test_dialogues_begin_with_what_is_named():
    env = gymnasium.make("lmrl/TwentyQuestions-v0")
    assert env.reset(options={"word": "tv"})[0] == "Questions:\n"
    assert env.step("Is it a piano?\n")[:3] == ("No.\n", -1.0, False)
    assert env.step("Is it a television?\n")[:3] == ("Yes.\n", 0.0, True)
    env = gymnasium.make("lmrl/GuessCity-v0")
    env.reset(options={"city": "Lima"})
    assert env.step("Are you from Paris?\n")[1:3] == (-1.0, False)
    assert env.step("Are you from Lima?\n")[1:3] == (0.0, True)
    env = gymnasium.make("lmrl/CarDealer-v0", mode="fancy")
    env.reset(options={"buyer": {"budget": 90000, "brand": "a BMW", "type": "sedan"}})
    *_, info = env.step("I can offer you a BMW sedan for $20,000.\n")
    assert (info["success"], info["buyer"]["budget"], info["price"]) == (True, 90000, 20000)


def test_all_that_text_nav_may_say_at_once_lies_in_its_space():
    env = gymnasium.make("lmrl/TextNav-v0", horizon=99)
    env.reset(seed=0, options={"room": "bedroom"})
    way = ["take bowl", "go south", "go west", "open chest", "take utensils", "go north", "take stale food"]
    way += ["take fresh food", "go west", "take cup", "take plate", "go west", "open fridge", "take fruit", "look"]
    assert all(env.step(command)[0] in env.observation_space for command in way)


def test_a_seed_repeats_an_episode_and_no_seed_goes_on():
    env = gymnasium.make("lmrl/Maze-v0")
    firsts = [env.reset(seed=7)[0], *(env.reset()[0] for _ in range(20))]
    again = [env.reset(seed=7)[0], *(env.reset()[0] for _ in range(20))]
    assert firsts == again
    assert len(set(firsts)) > 5


def test_a_seed_is_the_episodes_own():
    env, maze = gymnasium.make("lmrl/Maze-v0"), Maze(observed="fully")
    assert [env.reset(seed=seed)[0] for seed in range(10)] == [maze.reset(seed) for seed in range(10)]


@pytest.mark.parametrize("start", [[7, 6], (7, 6), np.array([7, 6]), np.array([7, 6], dtype=np.uint8)], ids=repr)
def test_a_start_may_be_any_row_of_two_whole_numbers(start: Any):
    text, _ = gymnasium.make("lmrl/Maze-v0").reset(options={"start": start})
    assert "current position is at position 7, 6." in text


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("lmrl/Maze-v0", {"start": np.array([8, 6])}, r"options.start = array\(\[8, 6\]\): needs \[row, column\]"),
        ("lmrl/Maze-v0", {"start": np.array([[7, 6]])}, r"options.start = array\(\[\[7, 6\]\]\): needs"),
        ("lmrl/Maze-v0", {"start": np.array(7)}, r"options.start = array\(7\): needs"),
        ("lmrl/Maze-v0", {"start": [7.5, 6.0]}, r"options.start = \[7.5, 6.0\]: needs"),
        ("lmrl/TextNav-v0", {"room": np.array(["office"])}, "options.room = array.*: the rooms are bedroom, "),
        ("lmrl/Wordle-v0", {"word": 7}, "options.word = 7: not one of"),
        ("lmrl/Wordle-v0", {"word": ["robin"]}, r"options.word = \['robin'\]: not one of"),
        ("lmrl/Wordle-v0", {"word": np.array(["robin", "about"])}, "options.word = array.*: not one of"),
    ],
)
def test_a_bad_option_is_refused_in_our_words_and_the_episode_goes_on(name: str, options: dict[str, Any], said: str):
    env = gymnasium.make(name).unwrapped
    env.reset(seed=0)
    env.step("nonsense\n")
    with pytest.raises(ValueError, match=said):
        env.reset(options=options)
    assert env.step("nonsense\n")[-1]["turn"] == 2


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("action", [None, 3, ["move up\n"]], ids=repr)
def test_an_action_that_is_no_text_is_refused_and_uses_nothing_up(name: str, action: Any):
    env = gymnasium.make(name).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action = .*: an action is a text"):
        env.step(action)
    assert env.step("nonsense\n")[-1]["turn"] == 1


def test_two_unseeded_environments_differ():
    first, second = ([env.reset()[0] for _ in range(30)] for env in map(gymnasium.make, ["lmrl/Maze-v0"] * 2))
    assert first != second


def test_the_global_random_state_is_left_alone():
    before = random.getstate()
    gymnasium.make("lmrl/Wordle-v0").reset()
    assert random.getstate() == before


@pytest.mark.parametrize("name", IDS)
def test_several_are_played_as_one_vector(name: str):
    envs = gymnasium.make_vec(name, num_envs=3)
    texts, info = envs.reset(seed=1)
    alone = [gymnasium.make(name).reset(seed=1 + i)[0] for i in range(3)]
    assert list(texts) == alone
    _, rewards, *_, info = envs.step(("move up\n", "nonsense\n", "a b o u t\n"))
    assert rewards.shape == (3,)
    assert info["invalid_action"][1] or not info["understood"][1]
    assert info["turn"].tolist() == [1, 1, 1]


def test_a_task_that_cannot_list_its_actions_says_none():
    class Silent:
        def reset(self, seed: int, options: Any = None) -> str:
            return "?"

        def legal_actions(self) -> tuple[str, ...]:
            return ()

    assert "legal_actions" not in TextGym(Silent()).reset(seed=0)[1]  # type: ignore[arg-type]


def test_importing_the_package_registers_the_tasks_and_loads_nothing_heavy():
    script = (
        "import sys, lmrl, gymnasium;"
        f"assert all(name in gymnasium.registry for name in {IDS!r});"
        "print([m for m in ('torch', 'lightning', 'transformers', 'mlflow', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_version_is_the_packages():
    import tomllib

    project = Path(__file__).parents[1] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == lmrl.__version__


def test_what_is_registered_is_what_the_configs_say():
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        tasks = [OmegaConf.to_container(compose("prepare", [f"task={name}"]).task, resolve=True) for name in TASKS]
    told = [task["env"] for task in tasks]  # type: ignore[call-overload, index]
    rules = {"simulator": {"_target_": "lmrl.dialogue.Scripted"}}
    known = [(env.replace(":", "."), s | (rules if "simulator" in s else {})) for env, s in ENVS.values()]
    for env in told:
        settings = {key: value for key, value in env.items() if key not in ("_target_", "_partial_")}
        assert (env["_target_"], {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}) in known
    assert len(told) == len(known)


def test_an_endgame_begins_as_it_is_told():
    env = gymnasium.make("lmrl/Endgames-v0", opponent="random")
    text, info = env.reset(seed=0, options={"fen": "7k/8/6K1/8/8/8/8/R7 w - - 0 1"})
    assert text == "7 k / 8 / 6 K 1 / 8 / 8 / 8 / 8 / R 7   w   -   -   0   1\n"
    assert "R a 8 #\n" in info["legal_actions"]
    assert env.step("R a 8 #\n")[1:4] == (1.0, True, False)
