"""What every task must keep, found by its YAML: a new `conf/task/<name>.yaml` has these tests before any other."""

import math
import random
from dataclasses import replace

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from lmrl.codec import Codec, phrase_tokenizer
from lmrl.config import check, conf_dir
from lmrl.dialogue import Dialogue
from lmrl.task import Start, Step, Task, TextEnv

NAMES = sorted(path.stem for path in (conf_dir() / "task").glob("*.yaml"))


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def task(name: str, tmp_path_factory: pytest.TempPathFactory) -> Task:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("prepare", overrides=[f"task={name}", f"cache={tmp_path_factory.mktemp(name)}", "workers=1"])
    check(cfg)
    built: Task = instantiate(cfg.task, _convert_="all")
    return built


def sayable(task: Task, env: TextEnv) -> list[str]:
    """What is legal; in a dialogue, where anything may be said, the lines among its phrases."""
    return [*(env.legal_actions() or [text for text in task.phrases() if text.endswith("\n")])]


def say(task: Task, start: Start, luck: int) -> list[Step]:
    """An episode of legal actions and nonsense."""
    rng, env = random.Random(luck), task.env()
    steps = [Step(env.reset(start.seed, start.options))]
    while not steps[-1].done:
        steps.append(env.step(rng.choice([*sayable(task, env), "nonsense\n"])))
    return steps


@pytest.fixture(scope="module")
def episodes(task: Task) -> list[list[Step]]:
    """Thirty of them."""
    return [say(task, start, 1) for start in task.episodes(30, 100)]


@pytest.fixture(scope="module")
def legal(task: Task) -> set[str]:
    """What may be said somewhere in thirty episodes; in a dialogue, what scripted players say in them."""
    rng, env, found = random.Random(0), task.env(), set[str]()
    if isinstance(env, Dialogue):
        return {turn.text for game in task.data.make(episodes=30, seed=0) for turn in game.turns if turn.is_action}
    for start in task.episodes(30, 100):
        step = Step(env.reset(start.seed, start.options))
        while not step.done:
            found |= set(env.legal_actions())
            step = env.step(rng.choice(env.legal_actions()))
    return found


def test_a_task_is_named_as_its_file(task: Task, name: str):
    assert task.name == name


def test_an_episode_repeats_per_seed(task: Task, episodes: list[list[Step]]):
    assert [say(task, start, 1) for start in task.episodes(30, 100)] == episodes


def test_an_episode_ends_by_itself_within_max_turns(task: Task, episodes: list[list[Step]]):
    for _, *steps in episodes:
        assert 0 < len(steps) <= task.max_turns
        assert isinstance(steps[-1].info["success"], bool)
        assert not any("success" in step.info for step in steps[:-1])


def test_rewards_are_finite_numbers(episodes: list[list[Step]]):
    rewards = [step.reward for steps in episodes for step in steps]
    assert all(isinstance(reward, float) and math.isfinite(reward) for reward in rewards)


def test_nonsense_is_called_invalid_wherever_legal_actions_are_listed(task: Task):
    env = task.env()
    env.reset(0)
    if isinstance(env, Dialogue):
        assert not env.legal_actions()
        assert env.step("nonsense\n").info["understood"] is False
        return
    assert env.legal_actions()
    assert env.step("nonsense\n").info == {"invalid_action": True}
    assert "invalid_action" not in env.step(env.legal_actions()[0]).info


def test_two_interleaved_episodes_share_no_state(task: Task):
    first, second = task.episodes(2, 100)
    alone = say(task, first, 4), say(task, second, 5)
    envs = task.env(), task.env()
    together: tuple[list[Step], list[Step]] = ([], [])
    luck = random.Random(4), random.Random(5)
    for env, start, steps in zip(envs, (first, second), together, strict=True):
        steps.append(Step(env.reset(start.seed, start.options)))
    while not all(steps[-1].done for steps in together):
        for env, rng, steps in zip(envs, luck, together, strict=True):
            if not steps[-1].done:
                steps.append(env.step(rng.choice([*sayable(task, env), "nonsense\n"])))
    assert together == alone


def test_an_environment_may_be_used_again_in_mid_episode(task: Task):
    env, start = task.env(), task.episodes(1, 100)[0]
    first = env.reset(start.seed, start.options)
    env.step(sayable(task, env)[-1])
    assert env.reset(start.seed, start.options) == first


def test_a_bad_option_is_refused(task: Task):
    with pytest.raises(ValueError, match="options.colour = 'red'"):
        task.env().reset(0, {"colour": "red"})


def test_a_step_before_reset_is_refused(task: Task):
    with pytest.raises(RuntimeError, match="reset"):
        task.env().step("x\n")


def test_phrases_are_distinct_and_not_empty(task: Task):
    known = list(task.phrases())
    assert len(set(known)) == len(known) > 0
    assert all(known)


def test_no_legal_action_is_spelt_in_bytes(task: Task, legal: set[str]):
    codec = Codec(phrase_tokenizer(task.phrases(), task.spelling() if task.spelling else ()))
    most = 12 if isinstance(task.env(), Dialogue) else 5
    ids = [codec.encode(action) for action in legal]
    assert all(min(action) >= 256 and len(action) <= most for action in ids)


def test_an_action_spelt_in_bytes_can_be_said_and_little_more_is_kept_free_for_it(task: Task, legal: set[str]):
    longest = max(len(action.encode()) for action in legal)
    if isinstance(task.env(), Dialogue):  # a sentence is too long for that
        tokens = Codec(phrase_tokenizer(task.phrases(), ()))
        assert max(len(tokens.encode(action)) for action in legal) <= task.max_new_tokens < 128
    else:
        assert longest <= task.max_new_tokens < 2 * longest


def test_every_start_is_accepted_and_they_differ(task: Task):
    starts = [dict(options) for options in task.starts()] if task.starts else []
    assert all(isinstance(task.env().reset(0, options), str) for options in starts)
    assert all(starts.count(options) == 1 for options in starts)


@pytest.mark.slow
def test_the_data_is_made_and_its_mean_is_near_the_published_one(task: Task):
    slow = task.data.chunk < 1000  # what is made in small chunks; two of them stand for all
    source = replace(task.data, episodes=2 * task.data.chunk) if slow else task.data
    data = source.dataset()
    episodes = list(data)
    assert len(episodes) == data.stats["episodes"] == source.episodes
    mean = task.score.mean if task.score.mean is not None else task.own_score.mean if task.own_score else -4.14
    assert mean is not None  # -4.14: Wordle with our list, which nobody has published
    near = 4 * data.stats["return_std"] / source.episodes**0.5 if slow else 0.01 * (task.score.best - task.score.floor)
    assert data.stats["return_mean"] == pytest.approx(mean, abs=near)
    assert all({"success", "invalid_actions"} <= set(episode.info) for episode in episodes)
    assert max(episode.num_actions for episode in episodes) <= task.max_turns
