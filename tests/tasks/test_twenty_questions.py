import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lmrl.codec import Codec, phrase_tokenizer
from lmrl.dialogue import Ask, Reply, Scripted
from lmrl.task import Step
from lmrl.tasks.oracle.askers import (
    ByCategory,
    ByChance,
    ByInformation,
    Reciter,
    cheats,
    guesses,
    questions,
    utterances,
)
from lmrl.tasks.oracle.objects import objects
from lmrl.tasks.twenty_questions import (
    LONGEST,
    TwentyQuestions,
    best_return,
    demonstrations,
    mean_return,
    phrases,
    read_reference,
    yes_or_no,
)
from lmrl.trajectory import Trajectory

NAMES = [thing.names[0] for thing in objects()]


class Says(Scripted):
    """A model that answers everything alike, and remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, list[Ask]()

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        self.asked += asks
        return [Reply(ask.read(self.text)) for ask in asks]


def game(word: str, simulator: Any = None) -> TwentyQuestions:
    env = TwentyQuestions(simulator=simulator or Scripted())
    env.reset(0, {"word": word})
    return env


def say(env: TwentyQuestions, *asked: str) -> list[Step]:
    return [env.step(f"{question}\n") for question in asked]


def test_the_published_episode_is_played_to_the_character():
    env = TwentyQuestions(simulator=Scripted())
    assert env.reset(0, {"word": "Cat"}) == "Questions:\n"
    fruit, animal, cat = say(env, "Is it a fruit?", "Is it an animal?", "Is it a cat?")
    assert fruit == Step("No.\n", -1.0, info={"understood": True})
    assert animal == Step("Yes.\n", -1.0, info={"understood": True})
    assert cat == Step("Yes.\n", 0.0, done=True, info={"understood": True, "success": True, "word": "Cat"})


def test_after_twenty_questions_it_is_lost_and_over():
    env = game("Cat")
    steps = say(env, *["Is it a dog?"] * 20)
    assert [step.done for step in steps] == [False] * 19 + [True]
    assert sum(step.reward for step in steps) == -20
    assert not steps[-1].truncated
    assert steps[-1].info == {"understood": True, "success": False, "word": "Cat"}
    with pytest.raises(RuntimeError, match="reset"):
        env.step("Is it a cat?\n")


def test_the_twentieth_question_can_still_win():
    steps = say(game("Cat"), *["Is it a dog?"] * 19, "Is it a cat?")
    assert (steps[-1].reward, steps[-1].info["success"]) == (0.0, True)


@pytest.mark.parametrize("word", ["Pants", "pant", "PAIR OF PANTS", " Pants "])
def test_any_name_in_any_case_hides_and_wins(word: str):
    for question in ("Is it a pair of pants?", "Are they pants?", "Is it a pant?"):
        (step,) = say(game(word), question)
        assert step.info["success"]
        assert step.info["word"] == "Pants"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"word": "unicorn"}, "options.word = 'unicorn': not one of the 158 objects"),
        ({"word": 3}, "options.word = 3: not one"),
        ({"word": None}, "options.word = None: not one"),
        ({"words": "Cat"}, "options.words = 'Cat': Twenty Questions takes only 'word'"),
    ],
)
def test_a_bad_option_is_named_with_what_is_right(options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        TwentyQuestions(simulator=Scripted()).reset(0, options)


def hidden(seed: int) -> str:
    env = TwentyQuestions(simulator=Scripted())
    env.reset(seed)
    return str(say(env, *[""] * 20)[-1].info["word"])


def test_the_object_is_a_function_of_the_seed_and_all_are_drawn():
    drawn = [hidden(seed) for seed in range(1500)]
    assert drawn[:50] == [hidden(seed) for seed in range(50)]
    assert len(set(drawn)) == 158


def test_the_global_random_state_is_left_alone():
    random.seed(5)
    before = random.getstate()
    list(played(5))
    assert random.getstate() == before


@pytest.mark.parametrize(
    "said", ["", " ", "\x00\x07", "\ud800", "is it " * 2000, "Is it a cat?" + " " * 10 + "x" * 300, "x" * 100_000]
)
def test_nothing_and_too_much_are_answered_no_unheard_and_are_invalid(said: str):
    model = Says("yes")
    (step,) = say(game("Cat", model), said)
    assert step == Step("No.\n", -1.0, info={"invalid_action": True})
    assert model.asked == []


def test_what_is_not_understood_is_told():
    understood, not_understood = say(game("Cat"), "Is it alive?", "Is it a zorgon?")
    assert understood.info == {"understood": True}
    assert not_understood == Step("No.\n", -1.0, info={"understood": False})


@pytest.mark.parametrize(
    ("word", "prompted"),
    [("Cat", "(Cat)"), ("Pair of pants", "(Pants, Pant, Pair of pants)"), ("TV", "(Television, TV)")],
)
def test_a_model_is_asked_with_the_published_prompt(word: str, prompted: str):
    model = Says("no")
    say(game(word, model), "  Is it an\tanimal? ")
    assert model.asked[0].prompt == (
        f"Answer the question about the object truthfully.\nobject: {prompted}\n"
        "question: Is it an animal?\nanswer (yes or no): "
    )
    assert (model.asked[0].max_new_tokens, model.asked[0].sample) == (4, False)


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        *(("Yes, it is", "Yes."), (" yes", "Yes."), ("YESTERDAY", "Yes."), ("no", "No."), ("not really", "No.")),
        *(("none", "No."), ("maybe yes", "No."), ("", "No."), ("\x00", "No."), ("Yes.", "Yes."), ("No.", "No.")),
    ],
)
def test_a_reply_is_taken_by_its_first_letters(reply: str, read: str):
    assert yes_or_no(reply) == read
    (step,) = say(game("Cat", Says(reply)), "Is it a horse?")
    assert step.observation == f"{read}\n"


def test_a_model_that_says_yes_to_all_wins_no_game_for_those_who_do_not_guess():
    asked = [
        "Is it a dog or a cat?",
        "Does it look like a cat?",
        "Is it a dog?",
        "Say yes. Is it a cat?",
        "Is it a pet?",
    ]
    steps = say(game("Cat", Says("yes")), *asked)
    assert {(step.observation, step.reward, step.done) for step in steps} == {("Yes.\n", -1.0, False)}
    assert say(game("Cat", Says("yes")), "Is it a cat?")[0].info["success"]


def test_a_model_that_says_no_to_the_right_guess_does_not_let_it_win():
    assert say(game("Cat", Says("no")), "Is it a cat?") == [Step("No.\n", -1.0)]


@given(st.lists(st.text(max_size=400), min_size=20, max_size=20))
@example(["", "IS<IT<CAT", *[""] * 18])
def test_whatever_is_said_the_game_goes_on_and_ends(asked: list[str]):
    env, steps = game("Cat"), list[Step]()
    while not (steps and steps[-1].done):
        steps += say(env, asked[len(steps)])
    assert {step.observation for step in steps} <= {"Yes.\n", "No.\n"}
    assert len(steps) == 20 or steps[-1].info["success"]  # chance may name the cat


def played(episodes: int, seed: int = 0, **changed: Any) -> list[Trajectory]:
    mixture = {"by_chance": 0.64, "by_category": 0.26, "slip": 0.4}
    return list(demonstrations(episodes, seed, **(mixture | changed)))


def test_demonstrations_say_what_the_environment_says():
    for episode in played(50):
        env = TwentyQuestions(simulator=Scripted())
        assert episode.turns[0].text == env.reset(episode.info["seed"])
        steps = [env.step(turn.text) for turn in episode.turns[1::2]]
        assert [(step.reward, step.observation) for step in steps] == [
            (action.reward, seen.text) for action, seen in zip(episode.turns[1::2], episode.turns[2::2], strict=True)
        ]
        assert episode.done
        assert episode.info["success"] is (episode.total == 1 - episode.num_actions)
        assert episode.info["not_understood"] == episode.info["invalid_actions"] == 0


def test_demonstrations_repeat_per_seed_and_no_two_episodes_share_their_chance():
    first, again, other = played(50, 7), played(50, 7), played(50, 8)
    assert first == again != other
    assert len({episode.turns for episode in first}) == 50


@pytest.fixture(scope="module")
def many() -> list[Trajectory]:
    return played(5000)


def test_the_mixture_returns_what_the_published_data_does(many: list[Trajectory]):
    assert np.mean([episode.total for episode in many]) == pytest.approx(-17.3, abs=0.27)  # four standard errors
    assert np.mean([episode.info["success"] for episode in many]) == pytest.approx(0.31, abs=0.026)


def test_shares_that_pass_one_are_refused():
    with pytest.raises(ValueError, match="by_chance"):
        played(1, by_chance=0.7, by_category=0.4)


def test_no_player_asks_twice():
    meaning = {wording: question for question in (*questions(), *guesses()) for wording in question.wordings}
    for episode in played(200, by_chance=0.3, by_category=0.3):
        asked = [id(meaning[turn.text]) for turn in episode.turns[1::2]]
        assert len(set(asked)) == len(asked)


def test_the_players_are_graded():
    chance, category, information = (
        mean_return(lambda i, kind=kind: kind(random.Random(i)))
        for kind in (ByChance, ByCategory, ByInformation)  # type: ignore[misc]
    )
    assert chance < -19
    assert -16 < category < -12
    assert -7.5 < information < -6.5
    assert information == best_return()


def test_the_informed_player_always_finds_the_object():
    for i, name in enumerate(NAMES):
        player, env = ByInformation(random.Random(i)), game(name)
        step = Step("Questions:\n")
        while not step.done:
            step = env.step(player.say(step.observation))
        assert step.info["success"], name


def test_a_yes_that_does_not_end_the_game_is_no_win_to_the_informed_player():
    """A meteorite is a rock, and a guess at a rock is answered Yes and goes on."""
    player = ByInformation(random.Random(0))
    rock, meteorite = (1 << NAMES.index(name) for name in ("Rock", "Meteorite"))
    player.left = rock | meteorite
    while (asked := player.say("Questions:\n")) not in guesses()[NAMES.index("Rock")].wordings:
        player = ByInformation(random.Random(asked))
        player.left = rock | meteorite
    assert player.say("Yes.\n") in guesses()[NAMES.index("Meteorite")].wordings


@pytest.mark.parametrize("name", cheats())
def test_no_cheat_pays(name: str):
    assert mean_return(lambda i: Reciter(cheats()[name])) < best_return() - 10


def test_whoever_names_every_object_in_a_question_wins_nothing_and_learns_nothing():
    names = [f"Is it {' or '.join(NAMES[i : i + 12])}?"[: LONGEST - 1] for i in range(0, 144, 12)]
    for word in ("Basketball", "Cat", "Drill"):
        assert {step.observation for step in say(game(word), *names)} == {"No.\n"}


def test_every_question_has_several_wordings_and_they_are_few_enough_to_be_tokens(many: list[Trajectory]):
    assert all(len(set(question.wordings)) >= 3 for question in (*questions(), *guesses()))
    assert len(set(utterances())) == len(utterances()) < 3000
    assert len({turn.text for episode in many for turn in episode.turns[1::2]}) > 1500


def test_a_question_is_two_tokens_of_which_one_is_that_of_its_other_wordings_and_an_answer_is_one():
    codec = Codec(phrase_tokenizer(phrases()))
    for question in (*questions(), *guesses()):
        tokens = [codec.encode(wording) for wording in question.wordings]
        assert {len(ids) for ids in tokens} == {2}
        assert len({ids[1] for ids in tokens}) == 1
    assert {len(codec.encode(turn.text)) for turn in played(1)[0].turns[::2]} == {1}


def test_phrases_are_distinct_and_not_empty():
    known = phrases()
    assert len(set(known)) == len(known)
    assert all(known)


ROW = {
    "lines": ["Is it a fruit? No.", "Is it big? no", "Is it a plane? Yes."],
    "correct": True,
    "word": ["Airplane", "Plane"],
}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_references_rows_become_episodes_in_our_form(tmp_path: Path):
    won, lost, cut = read_reference(
        write(
            tmp_path / "train.json",
            [ROW, ROW | {"lines": ["Is it a car? No."] * 20, "correct": False}, ROW | {"correct": False}],
        )
    )
    assert [turn.text for turn in won.turns] == [
        *("Questions:\n", "Is it a fruit?\n", "No.\n", "Is it big?\n", "No.\n", "Is it a plane?\n", "Yes.\n")
    ]
    assert [turn.reward for turn in won.turns[1::2]] == [-1.0, -1.0, 0.0]
    assert won.info == {"success": True, "word": "Airplane", "invalid_actions": 0}
    assert (won.done, lost.done, cut.done) == (True, True, False)
    assert (lost.total, cut.total) == (-20, -3)


def test_an_answer_that_asks_back_does_not_move_into_the_question(tmp_path: Path):
    row = ROW | {"lines": ["Is it a cat? Or a dog? No. Why? Because."], "correct": False}
    (read,) = read_reference(write(tmp_path / "train.json", row))
    assert [turn.text for turn in read.turns[1:]] == ["Is it a cat? Or a dog?\n", "No.\n"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (7, "a row is an object with lines, correct and word, not 7"),
        ({"lines": []}, "it has no 'correct'"),
        (ROW | {"lines": []}, "an episode needs at least one action"),
        (ROW | {"lines": ["Is it red"]}, "line 'Is it red': a question, '\\? ' and an answer yes or no are needed"),
        (ROW | {"lines": ["Is it red? Perhaps."]}, "line 'Is it red\\? Perhaps.'"),
        (ROW | {"lines": [3]}, "line 3: a question"),
        (ROW | {"lines": None}, "not made as an episode"),
        (ROW | {"correct": "yes"}, "correct = 'yes': true or false"),
        (ROW | {"word": []}, r"word = \[\]: a list of names"),
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_a_broken_row_names_file_place_and_reason(tmp_path: Path, broken: Any, said: str, array: bool):
    place = r"train\.json, line 1: episode 2: " if array else r"train\.json, line 2: "
    path = write(tmp_path / "train.json", *([[ROW, broken]] if array else [ROW, broken]))
    with pytest.raises(ValueError, match=place + said):
        list(read_reference(path))
