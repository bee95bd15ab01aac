"""Our house and TextWorld's, walked through side by side; skipped without the extra `lmrl[textworld]`."""

import gc
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from lmrl.task import Step
from lmrl.tasks.house.plan import EXITS, ROOMS, THINGS
from lmrl.tasks.house.speech import WAYS, understood
from lmrl.tasks.text_nav import TextNav
from tests.tasks.house_ways import walkthrough

pytest.importorskip("textworld")
pytestmark = pytest.mark.filterwarnings("ignore:Game .* is not fully supported")  # TextWorld does so, pytest undoes it

HORIZON = 20
TRIALS = 240


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("games"))


def game(cache: str, engine: Any, observed: Any = "fully") -> TextNav:
    return TextNav(observed=observed, objective="ours", engine=engine, horizon=HORIZON, cache=cache)


ODD = [
    *("", "  ", "dance", "take", "take food", "take all", "open"),
    *("open table", "open fridge", "close fridge", "open chest"),
    *("GO WEST", "go up", "e", "w", "go  north", "go west west", "undo", "restart", "quit", "save", "again", "score"),
    *("look", "l", "inventory", "i", "x table", "examine the fridge", "look at table", "examine plate"),
    *("take table", "drop table", "eat table", "put table on table", "take fridge from fridge", "go west. go east"),
    *("insert stale food into stale food", "put stale food into chest", "insert stale food into table"),
    *("put stale food on fridge", "put stale food on table", "take stale from table", "take the cup", "drop STALE"),
    *("é", "take stale food\nlook", "take stale food, fresh food", "wait", "x" * 10_000, "take " * 2_000),
]


def odd(rng: random.Random) -> str:
    """A command that may not be admissible: one of the list, or a verb and what it goes with at random."""
    verb, joint = rng.choice([("take", "from"), ("put", "on"), ("insert", "into"), ("drop", ""), ("eat", "")])
    thing, place = rng.choice(THINGS), rng.choice(("table", "chest", "fridge"))
    built = f"{verb} {thing} {joint} {place}" if joint and rng.random() < 0.7 else f"{verb} {thing}"
    return rng.choice([*ODD, built, built, f"go {rng.choice(WAYS)}"] if rng.random() < 0.5 else [built])


def sequence(trial: int, own: TextNav) -> Iterator[str]:
    """What is said in a trial: mostly what is admissible, some of it odd; a third goes for the win, a third may eat."""
    rng = random.Random(trial)
    room = ROOMS[trial % len(ROOMS)]
    eats = trial % 3 == 1
    plan = [walkthrough(room), walkthrough(room)[:-5], []][trial % 3]
    while True:
        legal = own.legal_actions()
        if rng.random() < 0.2:
            yield odd(rng)
        elif plan and plan[0] in legal:
            yield plan.pop(0)
        else:
            yield rng.choice([action for action in legal if eats or action != "eat stale food\n"])


def shape(text: str) -> list[bool]:
    """Which lines are empty or begin with a blank."""
    return [not line[:1].strip() for line in text.split("\n")]


def ending(step: Step) -> str:
    return "clock" if step.truncated else "won" if step.info["success"] else "lost"


def alike(action: str, ours: Step, theirs: Step) -> bool:
    """Whether both engines answered the same; rooms and what is looked at are told in words of their own."""
    worded = "invalid_action" not in ours.info and understood(action).verb in ("go", "look", "examine")
    return ours == (replace(theirs, observation=ours.observation) if worded else theirs)


@pytest.mark.slow
def test_both_engines_answer_the_same(cache: str):
    own, real = game(cache, "own"), game(cache, "textworld")
    ends = dict.fromkeys(["won", "lost", "clock"], 0)
    for trial in range(TRIALS):
        said: list[str] = []
        for env in (own, real):
            env.reset(trial, {"room": ROOMS[trial % len(ROOMS)]})
        for action in sequence(trial, own):
            assert own.legal_actions() == real.legal_actions(), said
            said.append(action)
            ours, theirs = own.step(action), real.step(action)
            assert alike(action, ours, theirs), (said, ours, theirs)
            if ours.done:
                ends[ending(ours)] += 1
                break
    assert min(ends.values()) > 10, ends


@pytest.mark.parametrize("observed", ["fully", "partially"])
def test_the_place_is_told_fully_observed_alone(cache: str, observed: str):
    env = game(cache, "textworld", observed)
    for room in ROOMS:
        told = [env.reset(0, {"room": room}).partition("\n\n\n")[2].partition("\n\n")[2], env.step("look").observation]
        assert [room in text for text in told] == [observed == "fully"] * 2
        there = next(iter(EXITS[room]))
        assert (EXITS[room][there] in env.step(f"go {there}").observation) == (observed == "fully")


def test_a_room_without_its_name_has_the_same_shape_in_both(cache: str):
    own, real = game(cache, "own", "partially"), game(cache, "textworld", "partially")
    for room in ROOMS:
        first = [env.reset(0, {"room": room}) for env in (own, real)]
        later = [env.step(f"go {next(iter(EXITS[room]))}\n").observation for env in (own, real)]
        assert shape(first[0]) == shape(first[1])
        assert shape(later[0]) == shape(later[1])


def test_two_games_and_a_new_one_in_mid_game_share_no_state(cache: str):
    first, second = game(cache, "textworld"), game(cache, "textworld")
    begun = first.reset(0, {"room": "living room"})
    first.step("take stale food\n")
    assert second.reset(0, {"room": "living room"}) == begun
    assert first.legal_actions() != second.legal_actions()
    assert first.reset(0, {"room": "living room"}) == begun
    assert first.legal_actions() == second.legal_actions()


def test_a_game_past_its_end_says_so_and_begins_again(cache: str):
    env = game(cache, "textworld")
    for _ in range(2):
        env.reset(0, {"room": "office"})
        assert [env.step(action).done for action in walkthrough("office")] == [False] * 6 + [True]
        with pytest.raises(RuntimeError, match="no running game"):
            env.step("look\n")


def test_an_interpreter_starts_no_process_and_ends_with_its_environment(cache: str, monkeypatch: pytest.MonkeyPatch):
    import textworld

    game(cache, "textworld").reset(0)  # of a process's first game TextWorld's parser keeps what called it
    closed: list[bool] = []

    def start(*args: Any) -> Any:
        engine = begin(*args)
        engine.close = lambda: (closed.append(True), close(engine))
        return engine

    begin, close = textworld.start, textworld.core.Wrapper.close
    monkeypatch.setattr(textworld, "start", start)
    before = psutil.Process().children(recursive=True)
    env = game(cache, "textworld")
    env.reset(0)
    assert psutil.Process().children(recursive=True) == before
    del env
    gc.collect()
    assert closed == [True]


@pytest.mark.slow
def test_a_program_that_never_closes_its_game_ends_in_silence(cache: str):
    script = (
        "from lmrl.tasks.text_nav import TextNav\n"
        f"env = TextNav(observed='fully', objective='ours', engine='textworld', horizon=15, cache={cache!r})\n"
        "print(len(env.reset(0)) > 100, env.step('look').done)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True False\n", "")


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("lmrl.tasks.house.textworld.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"engine = 'textworld' needs .*: pip install 'lmrl\[textworld\]'$"):
        game(str(tmp_path), "textworld")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cache = .*file: cannot keep a game there \(.*\); name another folder"):
        game(str(tmp_path / "file"), "textworld")


def test_the_game_is_compiled_once(cache: str, monkeypatch: pytest.MonkeyPatch):
    game(cache, "textworld")
    monkeypatch.setattr("lmrl.tasks.house.textworld._compile", None)
    assert game(cache, "textworld").reset(0)
    assert len(list(Path(cache).iterdir())) == 1
