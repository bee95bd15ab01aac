import json
import random
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmrl.scoring import Score
from lmrl.tasks.wordle import (
    PATTERNS,
    Wordle,
    best_return,
    demonstrations,
    phrases,
    read_reference,
    score,
    spaced,
    words_digest,
    words_of,
)
from lmrl.trajectory import Trajectory

TINY = ["panic", "knoll", "mount", "robin", "error", "sissy", "sugar", "eerie", "elect", "motto", "robot"]


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.txt"
    path.write_text("\n".join(TINY) + "\n")
    return str(path)


def game(words: str | None, *, rules: Any = "lmrl", bad: float = -1.0) -> Wordle:
    return Wordle(words=words, rules=rules, bad_word_reward=bad)


def answer(words: str, rules: str, guess: str, hidden: str) -> str:
    play = game(words, rules=rules)
    play.reset(0, {"word": hidden})
    return play.step(spaced(guess)).observation


def test_the_published_episode_is_played_to_the_character(tiny: str):
    play = game(tiny)
    assert play.reset(0, {"word": "mount"}) == "Wordle:\n"
    steps = [play.step(spaced(word)) for word in ("panic", "knoll", "mount")]
    assert [step.observation for step in steps] == ["b b y b b\n", "b y y b b\n", "g g g g g\n"]
    assert [step.reward for step in steps] == [-1.0, -1.0, 0.0]
    assert [step.done for step in steps] == [False, False, True]
    assert (steps[-1].truncated, steps[-1].info) == (False, {"success": True, "word": "mount"})


@pytest.mark.parametrize(
    ("guess", "hidden", "lmrl", "official"),
    [
        ("error", "robin", "b y y y y", "b y b y b"),
        ("sissy", "sugar", "g b y y b", "g b b b b"),
        ("eerie", "elect", "g y b b y", "g y b b b"),
        ("elect", "eerie", "g b y b b", "g b y b b"),
        ("motto", "robot", "b g y y y", "b g y b y"),
    ],
)
def test_letters_are_counted_by_the_official_rules_alone(tiny: str, guess: str, hidden: str, lmrl: str, official: str):
    assert answer(tiny, "lmrl", guess, hidden) == lmrl + "\n"
    assert answer(tiny, "official", guess, hidden) == official + "\n"


def official(guess: str, hidden: str) -> str:
    """The game's rules letter by letter: greens first, then each yellow uses up one of what is left."""
    marks = ["g" if g == h else "b" for g, h in zip(guess, hidden, strict=True)]
    left = [h for g, h in zip(guess, hidden, strict=True) if g != h]
    for i, letter in enumerate(guess):
        if marks[i] == "b" and letter in left:
            marks[i] = "y"
            left.remove(letter)
    return " ".join(marks) + "\n"


def test_official_answers_agree_with_the_rules_letter_by_letter(tmp_path: Path):
    words = ["".join(letters) for letters in product("ab", repeat=5)]
    (tmp_path / "ab.txt").write_text("\n".join(words))
    play = game(str(tmp_path / "ab.txt"), rules="official")
    for guess, hidden in product(words, words):
        play.reset(0, {"word": hidden})
        assert play.step(spaced(guess)).observation == official(guess, hidden)


@pytest.mark.parametrize("said", ["solar\n", "s o l a r\n", " s olar", "solar"])
def test_blanks_in_a_guess_do_not_matter(tmp_path: Path, said: str):
    (tmp_path / "w.txt").write_text("solar\nmotor\n")
    play = game(str(tmp_path / "w.txt"))
    play.reset(0, {"word": "solar"})
    assert play.step(said).done


@pytest.mark.parametrize("said", ["SUGAR\n", "sugars\n", "zzzzz\n", "\n", "s u g a\nr\n"])
def test_a_bad_word_uses_up_a_guess_and_is_answered_by_an_empty_line(tiny: str, said: str):
    play = game(tiny, bad=-10.0)
    play.reset(0, {"word": "sugar"})
    steps = [play.step(said) for _ in range(6)]
    assert [(step.observation, step.reward) for step in steps] == [("\n", -10.0)] * 6
    assert [step.done for step in steps] == [False] * 5 + [True]
    assert steps[0].info == {"invalid_action": True}
    assert steps[5].info == {"invalid_action": True, "success": False, "word": "sugar"}


def test_the_sixth_guess_ends_the_game_and_may_win_it(tiny: str):
    for last, success in (("sugar", True), ("motto", False)):
        play = game(tiny)
        play.reset(0, {"word": "sugar"})
        steps = [play.step(spaced(word)) for word in ("panic", "knoll", "mount", "robin", "error", last)]
        assert [step.done for step in steps] == [False] * 5 + [True]
        assert (steps[-1].info["success"], steps[-1].truncated) == (success, False)
        assert sum(step.reward for step in steps) == (-5.0 if success else -6.0)


def test_a_guess_without_a_running_game_says_what_to_do(tiny: str):
    play = game(tiny)
    with pytest.raises(RuntimeError, match="call reset"):
        play.step("p a n i c\n")
    play.reset(0, {"word": "panic"})
    play.step("p a n i c\n")
    with pytest.raises(RuntimeError, match="call reset"):
        play.step("p a n i c\n")


def hidden_word(play: Wordle, seed: int) -> str:
    play.reset(seed)
    return str([play.step("?") for _ in range(6)][-1].info["word"])


def test_the_hidden_word_is_a_function_of_the_seed(tiny: str):
    drawn = [hidden_word(game(tiny), seed) for seed in range(300)]
    assert drawn == [hidden_word(game(tiny), seed) for seed in range(300)]
    assert set(drawn) == set(TINY)


def test_the_global_random_state_is_left_alone(tiny: str):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 the global generator is what this test is about
    before, numpys = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    game(tiny).reset(3)
    list(demonstrations(3, 0, words=tiny, rules="lmrl", smart=0.5))
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == numpys  # noqa: NPY002


@pytest.mark.parametrize(
    ("options", "said"),
    [({"word": "zebra"}, "options.word = 'zebra': not one of the 11 words"), ({"words": 1}, "takes only 'word'")],
)
def test_a_bad_option_is_named_with_what_is_right(tiny: str, options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        game(tiny).reset(0, options)


def test_rules_are_one_of_two(tiny: str):
    with pytest.raises(ValueError, match="rules = 'house': .*'lmrl' or 'official'"):
        game(tiny, rules="house")


def test_our_list_is_sorted_and_large_enough():
    words = words_of(None)
    assert list(words) == sorted(set(words))
    assert len(words) == 512


def test_a_changed_list_is_another_version_of_the_task():
    assert words_digest(None) == "57aad1a7a34d2275", (
        "raise `version` and `data.version` in conf/task/wordle.yaml, then this hash"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("panic\nknolls\n", "word 2, 'knolls', needs five letters a to z"),
        ("panic\nKnoll\n", "word 2, 'Knoll', needs"),
        ("panic\nknoll\npanic\n", "'panic' stands there twice"),
        ("\n\n", "it has no words"),
    ],
)
def test_a_list_that_cannot_be_played_is_refused(tmp_path: Path, content: str, said: str):
    (tmp_path / "w.txt").write_text(content)
    with pytest.raises(ValueError, match=said):
        words_of(str(tmp_path / "w.txt"))


def test_a_missing_list_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match="words = '.*absent.txt': no such file"):
        words_of(str(tmp_path / "absent.txt"))
    with pytest.raises(ValueError, match="words = '.*': a folder; task.env.words names a list"):
        words_of(str(tmp_path))


def test_a_lists_hash_tells_words_and_order(tmp_path: Path):
    for name, text in (("a", "panic\nknoll\n"), ("b", "panic\nknoll"), ("c", "knoll\npanic\n")):
        (tmp_path / name).write_text(text)
    a, b, c = (words_digest(str(tmp_path / name)) for name in "abc")
    assert a == b != c


def test_a_file_that_changes_is_read_again(tmp_path: Path):
    words = tmp_path / "w.txt"
    words.write_text("panic\nknoll\n")
    before = game(str(words)).legal_actions()
    words.write_text("panic\nknoll\nmount\n")
    assert [*game(str(words)).legal_actions()] == [*before, "m o u n t\n"]


def test_the_published_scale_is_for_the_published_list_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    published = {"floor": -6, "mean": -4.121715, "best": -1.935}
    assert score(words=None, rules="lmrl", **published).mean is None
    monkeypatch.setattr("lmrl.tasks.wordle.PUBLISHED_WORDS", words_digest(None))
    assert score(words=None, rules="lmrl", **published) == Score(**published)
    assert score(words=None, rules="official", **published).mean is None


def test_the_best_player_is_worked_out_by_hand(tmp_path: Path):
    """Of abbbb, bbbbb, cbbbb, ddddd the first tells all apart but bbbbb and cbbbb: misses 0, 1, 1 or 2, 1."""
    (tmp_path / "w.txt").write_text("abbbb\nbbbbb\ncbbbb\nddddd\n")
    assert best_return(str(tmp_path / "w.txt"), "official") == -(0 + 1 + 2 + 1) / 4


def test_whoever_has_six_guesses_may_run_out_of_them(tmp_path: Path):
    """Eight words that differ in one letter: each guess rules out itself alone, and two words are never found."""
    (tmp_path / "w.txt").write_text("\n".join(f"{letter}zzzz" for letter in "abcdefgh"))
    assert best_return(str(tmp_path / "w.txt"), "lmrl") == -(0 + 1 + 2 + 3 + 4 + 5 + 6 + 6) / 8


def test_the_best_player_of_our_list():
    """LMRL-Gym's own, greedy for information among the words that fit, reaches -1.942 on its 431 words."""
    assert best_return(None, "lmrl") == pytest.approx(-1.9140625)


def test_every_guess_and_every_answer_is_a_phrase(tiny: str):
    known = phrases(words=tiny)
    assert len(known) == len(set(known)) == 2 + len(TINY) + 3**5
    assert {"Wordle:\n", "\n", "p a n i c\n", "b y g g b\n"} < set(known)
    assert list(game(tiny).legal_actions()) == known[2 : 2 + len(TINY)]


def consistent(words: list[str], episode: Trajectory, turn: int) -> list[str]:
    """The words that would have been answered as this episode was, before its guess number `turn`."""
    said = [
        (t.text.replace(" ", "").strip(), a.text) for t, a in zip(episode.turns[1::2], episode.turns[2::2], strict=True)
    ]
    return [w for w in words if all(official(guess, w) == shown for guess, shown in said[:turn])]


def test_a_smart_player_guesses_what_still_fits_and_uniformly(tiny: str):
    firsts = dict.fromkeys(TINY, 0)
    for episode in demonstrations(2200, 0, words=tiny, rules="official", smart=1.0):
        guesses = [turn.text.replace(" ", "").strip() for turn in episode.turns[1::2]]
        firsts[guesses[0]] += 1
        assert all(guess in consistent(TINY, episode, i) for i, guess in enumerate(guesses))
    assert all(count == pytest.approx(200, abs=60) for count in firsts.values())  # four standard deviations


@pytest.mark.parametrize("rules", ["lmrl", "official"])
def test_demonstrations_say_what_the_environment_says(tiny: str, rules: Any):
    play = game(tiny, rules=rules)
    for episode in demonstrations(200, 1, words=tiny, rules=rules, smart=0.3):
        play.reset(0, {"word": episode.info["word"]})
        steps = [play.step(turn.text) for turn in episode.turns[1::2]]
        assert [(step.reward, step.observation) for step in steps] == [
            (action.reward, seen.text) for action, seen in zip(episode.turns[1::2], episode.turns[2::2], strict=True)
        ]
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
        assert (episode.done, episode.info["success"]) == (True, steps[-1].info["success"])


def test_demonstrations_repeat_per_seed(tiny: str):
    first, again, other = (list(demonstrations(20, seed, words=tiny, rules="lmrl", smart=0.3)) for seed in (7, 7, 8))
    assert first == again != other


def test_the_mixture_returns_about_what_the_published_data_does():
    returns = [e.total for e in demonstrations(20000, 0, words=None, rules="lmrl", smart=1 / 3)]
    assert np.mean(returns) == pytest.approx(-4.145, abs=0.04)  # -4.10 on the benchmark's 431 words; published: -4.12


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


GAME = {
    "sequence": [["Wordle:\n", 0.0], ["zzzzz\n", 1.0], ["\n", 0.0], ["m o u n t\n", 1.0], ["g g g g g\n", 0.0]],
    "reward": [-1.0, 0.0, 0.0, 0.0],
    "done": True,
}


def test_the_references_rows_become_games(tmp_path: Path):
    (read,) = read_reference(write(tmp_path / "games.jsonl", GAME))
    assert [turn.text for turn in read.turns] == ["Wordle:\n", "zzzzz\n", "\n", "m o u n t\n", "g g g g g\n"]
    assert [(turn.is_action, turn.reward) for turn in read.turns] == [
        (False, 0.0),
        (True, -1.0),
        (False, 0.0),
        (True, 0.0),
        (False, 0.0),
    ]
    assert read.done
    assert read.info == {"success": True, "invalid_actions": 1}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"reward": [-1.0]}, "line 2: reward needs one number less than sequence has texts, which is 5"),
        ({"sequence": GAME["sequence"][1:], "reward": [0.0] * 3}, "line 2: turn 1: an action where"),  # type: ignore[index]
        ({"reward": [-1.0, 5.0, 0.0, 0.0]}, "line 2: turn 3: reward 5.0: an observation cannot be paid"),
        ({"reward": ["-1", 0.0, 0.0, 0.0]}, "line 2: turn 2: reward '-1'"),
        ({"sequence": [[5, 0], ["a", 1], [6, 0]], "reward": [0, 0]}, "line 2: turn 1: text 5"),
        ({"sequence": [["a", 0], ["b", 7]], "reward": [0]}, "line 2: turn 2: an observation where"),
        ({"done": None}, "line 2: done = None: true or false"),
        ({"done": None, "reward": None}, "line 2: not made as an episode"),
    ],
)
def test_a_broken_row_names_file_line_and_reason(tmp_path: Path, broken: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=rf"games\.jsonl, {said}"):
        list(read_reference(write(tmp_path / "games.jsonl", GAME, GAME | broken)))


def test_a_row_without_a_key_says_which(tmp_path: Path):
    with pytest.raises(ValueError, match="line 1: it has no 'sequence'"):
        list(read_reference(write(tmp_path / "games.jsonl", {"reward": []})))


def test_answers_are_all_distinct():
    assert len(set(PATTERNS)) == 243
    assert (PATTERNS[0], PATTERNS[1], PATTERNS[-1]) == ("b b b b b\n", "b b b b y\n", "g g g g g\n")
