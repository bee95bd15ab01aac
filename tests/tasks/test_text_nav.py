import json
import random
from collections import deque
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmrl.codec import Codec, phrase_tokenizer
from lmrl.task import Step
from lmrl.tasks.house.house import House
from lmrl.tasks.house.plan import EXITS, ROOMS
from lmrl.tasks.house.speech import Refused, understood
from lmrl.tasks.house.words import draw
from lmrl.tasks.text_nav import TextNav, demonstrations, phrases, read_reference
from lmrl.trajectory import Trajectory
from tests.tasks.house_ways import walkthrough


def game(observed: Any = "partially", *, objective: Any = "ours", horizon: int = 15) -> TextNav:
    return TextNav(observed=observed, objective=objective, engine="own", horizon=horizon, cache="")


def say(env: TextNav, *commands: str) -> list[Step]:
    return [env.step(f"{command}\n") for command in commands]


def started(room: str, *commands: str, observed: Any = "partially", horizon: int = 99) -> TextNav:
    """A game in which some commands have been said."""
    env = game(observed, horizon=horizon)
    env.reset(0, {"room": room})
    say(env, *commands)
    return env


def answer(room: str, *commands: str) -> str:
    """What is said to the last of some commands, without the list of admissible ones."""
    return say(started(room, *commands[:-1]), commands[-1])[0].observation.partition("Admissible commands")[0]


OURS = (
    "\n\n\nSomewhere in this house lies stale food. Put it into the fridge in the kitchen and close the fridge to win. "
    "Whoever eats it has lost.\n\n"
)
THEIRS = (
    "\n\n\nYou are now playing a profound round of TextWorld! "
    "Your task for today is to close the fridge in the kitchen.\n\n"
)
PUBLISHED = [
    (
        "take stale food from table",
        "You take the stale food from the table.\n\n\n\nAdmissible commands: drop stale food, eat stale food, go east, "
        "go south, go west, put stale food on table, take fresh food from table\n",
    ),
    (
        "go west",
        "Admissible commands: drop stale food, eat stale food, go east, go west, put stale food on table, "
        "take coffee cup from table, take plate from table\n",
    ),
    ("go west", "Admissible commands: drop stale food, eat stale food, go east, go north, go west, open fridge\n"),
    (
        "open fridge",
        "You open the fridge, revealing a fruit.\n\n\nAdmissible commands: close fridge, drop stale food, "
        "eat stale food, go east, go north, go west, insert stale food into fridge, take fruit from fridge\n",
    ),
    (
        "insert stale food into fridge",
        "You put the stale food into the fridge.\n\n\nAdmissible commands: close fridge, go east, go north, go west, "
        "take fruit from fridge, take stale food from fridge\n",
    ),
    (
        "close fridge",
        "You close the fridge.\n\n\nYour score has just gone up by one point.\n\n\n*** The End ***\n\n"
        "You scored 1 out of a possible 1, in 6 turns.\n",
    ),
]
"""An episode of LMRL-Gym from the living room; the words of a room are drawn, so there the end alone is given."""


@pytest.mark.parametrize(("objective", "told"), [("ours", OURS), ("reference", THEIRS)])
def test_the_published_episode_is_played_to_the_character(objective: str, told: str):
    env = game(objective=objective)
    first = env.reset(0, {"room": "living room"})
    assert first.startswith(told + " ")
    assert first.endswith(
        " exits to the east, south and west.\n\nAdmissible commands: go east, go south, go west, "
        "take fresh food from table, take stale food from table\n"
    )
    steps = say(env, *(command for command, _ in PUBLISHED))
    for step, (command, text) in zip(steps, PUBLISHED, strict=True):
        assert step.observation.endswith(f".\n\n\n\n{text}") if command == "go west" else step.observation == text
    assert [(step.reward, step.done, step.truncated) for step in steps] == [(0.0, False, False)] * 5 + [
        (1, True, False)
    ]
    assert steps[-1].info == {"success": True, "room": "living room"}


def test_fully_observed_the_room_and_what_is_carried_are_told():
    env = game("fully")
    first = env.reset(0, {"room": "living room"})
    assert "living room" in first.removeprefix(OURS).partition("\n\n")[0]
    taken, gone, both = say(env, "take stale food from table", "go west", "take plate")
    assert taken.observation.startswith(
        "You take the stale food from the table.\n\n\n\nYou are carrying: a stale food.\n\nAdmissible commands: drop "
    )
    assert "dining room" in gone.observation.partition("\n\n")[0]
    assert ".\n\n\n\nYou are carrying: a stale food.\n\nAdmissible commands: " in gone.observation
    assert "You are carrying: a plate and a stale food.\n\n" in both.observation
    assert "You are carrying nothing.\n\nAdm" in say(env, "drop plate", "drop stale food")[1].observation


@pytest.mark.parametrize(("held", "told"), [(("bowl", "utensils"), "an utensils and a bowl"), (("bowl",), "a bowl")])
def test_what_was_taken_last_is_told_first(held: tuple[str, ...], told: str):
    env = started("bedroom", "take bowl", "go south", "go west", "open chest", observed="fully")
    if "utensils" in held:
        say(env, "take utensils")
    assert f"You are carrying: {told}.\n\n" in say(env, "close chest")[0].observation


def test_partially_observed_neither_is_told():
    for room in ROOMS:
        env = game()
        texts = [env.reset(7, {"room": room}).removeprefix(OURS)]
        rng = random.Random(1)
        while not texts[-1].startswith("*** end"):
            step = env.step(rng.choice(env.legal_actions()))
            texts.append("*** end" if step.done else step.observation)
        assert not any(name in text for text in texts for name in (*ROOMS, "carrying"))


MESSAGES = [
    ("kitchen", ["open fridge"], "You open the fridge, revealing a fruit.\n\n\n"),
    ("office", ["open chest", "take utensils", "close chest", "open chest"], "You open the chest.\n\n\n"),
    ("kitchen", ["open fridge", "close fridge"], "You close the fridge.\n\n\n"),
    ("living room", ["take stale food from table"], "You take the stale food from the table.\n\n\n\n"),
    ("living room", ["take stale"], "You take the stale food from the table.\n\n\n\n"),
    ("bedroom", ["take bowl", "drop bowl", "take bowl"], "You pick up the bowl from the ground.\n\n\n\n"),
    ("living room", ["take stale food", "put stale food on table"], "You put the stale food on the table.\n\n\n"),
    (
        "office",
        ["open chest", "get the utensils", "put utensils in the chest"],
        "You put the utensils into the chest.\n\n\n",
    ),
    ("bedroom", ["take bowl", "drop the bowl"], "You drop the bowl on the ground.\n\n\n"),
    ("living room", ["take fresh food", "eat fresh food"], "You eat the fresh food. Not bad.\n\n\n"),
    ("garden", ["inventory"], "You are carrying nothing.\n\n\n\n"),
    ("bedroom", ["take bowl", "i"], "You are carrying: a bowl.\n\n\n\n"),
    ("bedroom", ["x bowl"], "You see nothing special about the bowl.\n\n\n\n"),
    ("living room", ["examine table"], "On the table: a stale food and a fresh food.\n\n\n\n"),
    ("bedroom", ["take bowl", "examine table"], "On the table: nothing.\n\n\n\n"),
    ("kitchen", ["examine fridge"], "The fridge is closed.\n\n\n\n"),
    ("kitchen", ["open fridge", "examine fridge"], "In the fridge: a fruit.\n\n\n\n"),
]
REFUSED = [
    ("garden", ["go north"], "You can't go that way.\n\n\n"),
    ("garden", ["e"], "You can't go that way.\n\n\n"),
    ("garden", ["north"], "You can't go that way.\n\n\n"),
    ("garden", ["dance"], "That's not a verb I recognise.\n\n"),
    ("garden", ["restart"], "That's not a verb I recognise.\n\n"),
    ("garden", ["x" * 10_000], "That's not a verb I recognise.\n\n"),
    ("garden", ["gehe nach Süden ☃ \U0001f600"], "That's not a verb I recognise.\n\n"),
    ("garden", ["take " * 2000], "You can't see any such thing.\n\n"),
    ("garden", ["take ☃"], "You can't see any such thing.\n\n"),
    ("garden", ["take"], "You can't see any such thing.\n\n"),
    ("garden", ["look around"], "You can't see any such thing.\n\n"),
    ("garden", ["go"], "You can't see any such thing.\n\n"),
    ("garden", ["go south. go east"], "You can't see any such thing.\n\n"),
    ("garden", ["go south\ngo east"], "You can't see any such thing.\n\n"),
    ("garden", ["go\tsouth"], "That's not a verb I recognise.\n\n"),
    ("living room", ["take fruit"], "You can't see any such thing.\n\n"),
    ("living room", ["examine fruit"], "You can't see any such thing.\n\n"),
    ("kitchen", ["take fruit"], "You can't see any such thing.\n\n"),
    ("office", ["open chest", "get utensils", "put it in chest"], "You can't see any such thing.\n\n"),
    ("living room", ["take stale food from fridge"], "You can't see any such thing.\n\n"),
    ("living room", ["take food"], "Which do you mean, the stale food or the fresh food?\n\n"),
    ("living room", [""], "I beg your pardon?\n\n"),
    ("living room", [" \t "], "I beg your pardon?\n\n"),
    ("kitchen", ["open fridge", "open fridge"], "That's already open.\n\n\n"),
    ("kitchen", ["close fridge"], "That's already closed.\n\n\n"),
    ("living room", ["open table"], "It isn't something you can open.\n\n\n"),
    ("bedroom", ["close bowl"], "It isn't something you can close.\n\n\n"),
    ("bedroom", ["take bowl", "take bowl"], "You already have that.\n\n\n\n"),
    ("bedroom", ["take table"], "That's fixed in place.\n\n\n\n"),
    ("bedroom", ["drop bowl"], "You haven't got that.\n\n\n"),
    ("bedroom", ["take bowl", "drop bowl", "drop bowl"], "The bowl is already here.\n\n\n"),
    ("bedroom", ["drop table"], "The table is already here.\n\n\n"),
    ("bedroom", ["eat bowl"], "That's plainly inedible.\n\n\n"),
    ("bedroom", ["take bowl", "eat bowl"], "That's plainly inedible.\n\n\n"),
    ("bedroom", ["take bowl", "put bowl on fridge"], "You can't see any such thing.\n\n"),
    ("living room", ["eat fresh food"], "You need to take the fresh food first.\n\n\n"),
    ("bedroom", ["put bowl on table"], "You need to take the bowl first.\n\n\n"),
    ("bedroom", ["put table on table"], "The table is fixed in place.\n\n\n"),
    ("bedroom", ["put bowl"], "You can't see any such thing.\n\n"),
    ("bedroom", ["take bowl", "insert bowl into table"], "That can't contain things.\n\n\n"),
    ("bedroom", ["take bowl", "insert bowl into bowl"], "You can't put something inside itself.\n\n\n"),
    ("bedroom", ["take bowl", "put bowl on bowl"], "You can't put something on top of itself.\n\n\n"),
    ("bedroom", ["take bowl", "go south", "go west", "insert bowl into chest"], "The chest is closed.\n\n\n"),
    (
        "bedroom",
        ["take bowl", "go south", "go west", "put bowl on chest"],
        "Putting things on the chest would achieve nothing.\n\n\n",
    ),
]


@pytest.mark.parametrize(("room", "commands", "told"), [*MESSAGES, *REFUSED])
def test_a_command_is_answered_as_the_engine_does(room: str, commands: list[str], told: str):
    assert answer(room, *commands) == told


@pytest.mark.parametrize(("room", "commands", "told"), REFUSED)
def test_what_cannot_be_done_costs_a_command_and_no_more(room: str, commands: list[str], told: str):
    env = started(room, *commands[:-1], horizon=len(commands) + 1)
    before = env.legal_actions()
    (step,) = say(env, commands[-1])
    assert (step.reward, step.done, step.info) == (0.0, False, {"invalid_action": True})
    assert env.legal_actions() == before
    assert step.observation == f"{told}Admissible commands: {', '.join(a.strip() for a in before)}\n"
    assert say(env, commands[-1])[0].info == {"invalid_action": True, "success": False, "room": room}


@pytest.mark.parametrize("command", ["look", "L", "inventory", "i", "examine table", "x stale food"])
def test_looking_is_no_mistake_though_never_listed(command: str):
    env = started("living room")
    (step,) = say(env, command)
    assert step.info == {}
    assert f"{command}\n" not in env.legal_actions()


def test_look_tells_the_room_again():
    env = game("fully")
    first = env.reset(0, {"room": "office"}).removeprefix(OURS).partition("\n\nAdmissible")[0]
    assert say(env, "look")[0].observation.startswith(f"{first}\n\n\n\nYou are carrying nothing.")


def test_going_tells_the_room_whose_words_stay():
    env = game("fully")
    first = env.reset(0, {"room": "garden"}).removeprefix(OURS).partition("\n\nAdmissible")[0]
    assert say(env, "go south", "go north")[1].observation.startswith(f"\n{first}\n\n\n\nYou are carrying nothing.")


def test_what_lies_on_the_floor_is_told_last():
    env = started("bedroom", "take bowl", "drop bowl", observed="fully")
    assert "\n\nThere is a bowl on the floor.\n\n\n\nYou are" in say(env, "look")[0].observation


@pytest.mark.parametrize("spelt", ["  Take the STALE  food from THE table ", "get stale", "take a stale food"])
def test_capitals_blanks_articles_and_short_names_do_not_matter(spelt: str):
    assert "put stale food on table\n" in started("living room", spelt).legal_actions()


@pytest.mark.parametrize("spelt", ["west", "W", "go w", "GO WEST"])
def test_a_way_may_be_said_alone(spelt: str):
    assert "take plate from table\n" in started("living room", spelt).legal_actions()


def test_whoever_eats_the_stale_food_has_lost():
    env = started("living room", "take stale food")
    (step,) = say(env, "eat stale food")
    assert step.observation == (
        "You eat the stale food. Not bad.\n\n\n*** You lost! ***\n\nYou scored 0 out of a possible 1, in 2 turns.\n"
    )
    assert (step.reward, step.done, step.truncated) == (0.0, True, False)
    assert step.info == {"success": False, "room": "living room"}


@pytest.mark.parametrize("eaten", ["fresh food", "fruit"])
def test_other_food_may_be_eaten(eaten: str):
    env = started("kitchen" if eaten == "fruit" else "living room", "open fridge", f"take {eaten}")
    (step,) = say(env, f"eat {eaten}")
    assert (step.done, step.reward) == (False, 0.0)


def test_a_closed_fridge_without_the_stale_food_wins_nothing():
    env = started("kitchen", "open fridge", "close fridge")
    assert not any(
        step.done for step in say(env, "open fridge", "take fruit", "insert fruit into fridge", "close fridge")
    )


def test_the_clock_truncates_and_a_win_on_the_last_command_counts():
    env = started("garden", horizon=15)
    steps = say(env, *["look"] * 15)
    assert [step.done for step in steps] == [False] * 14 + [True]
    assert (steps[-1].truncated, steps[-1].reward, steps[-1].info) == (True, 0.0, {"success": False, "room": "garden"})
    won = say(started("living room", *["look"] * 9, horizon=15), *(text.strip() for text in walkthrough("living room")))
    assert (won[-1].done, won[-1].truncated, won[-1].reward) == (True, False, 1.0)


@pytest.mark.parametrize("commands", [["look"] * 15, ["take stale food", "eat stale food"]])
def test_a_command_after_the_end_is_refused(commands: list[str]):
    env = started("living room", *commands, horizon=15)
    with pytest.raises(RuntimeError, match="no running game: call reset"):
        env.step("look\n")


def after(house: House, action: str) -> House:
    twin = copy(house)
    twin.lies = dict(house.lies)
    twin.obey(action)
    return twin


def shortest(room: str) -> int:
    """Commands of the shortest way to a win, by breadth-first search over all that can be done."""
    words = draw(random.Random(0), located=False)
    queue, seen = deque([(House(room, words), 0)]), set[Any]()
    while queue:
        house, far = queue.popleft()
        for action in house.sight.actions:
            then = after(house, action)
            if then.won:
                return far + 1
            if (state := (then.room, then.sight.actions, *map(frozenset, then.lies.values()))) not in seen:
                seen.add(state)
                queue.append((then, far + 1))
    raise AssertionError("it cannot be won")


LENGTHS = {"living room": 6, "bedroom": 7, "office": 7, "dining room": 7}
LENGTHS |= {"bathroom": 8, "kitchen": 8, "garden": 9, "backyard": 9}


@pytest.mark.parametrize("room", ROOMS)
def test_no_way_is_shorter_than_the_published_one(room: str):
    assert shortest(room) == LENGTHS[room]


@pytest.mark.parametrize("room", ROOMS)
def test_the_published_way_wins_from_each_room(room: str):
    env, way = started(room), walkthrough(room)
    assert len(way) == LENGTHS[room]
    for action in way:
        assert action in env.legal_actions()
        env.step(action)
    with pytest.raises(RuntimeError):
        env.step("look\n")


def test_each_way_leads_back():
    back = {"north": "south", "south": "north", "east": "west", "west": "east"}
    assert all(EXITS[there][back[way]] == room for room, ways in EXITS.items() for way, there in ways.items())


def test_room_and_words_are_a_function_of_the_seed():
    firsts = [game("fully").reset(seed) for seed in range(400)]
    assert firsts == [game("fully").reset(seed) for seed in range(400)]
    rooms = [sum(f"{room}." in first for first in firsts) for room in ROOMS]
    assert all(25 <= count <= 80 for count in rooms)  # four standard deviations
    assert len(set(firsts)) > 350


def test_the_room_of_the_options_overrules_the_seeds_and_nothing_else():
    env, other = game("fully"), game("fully")
    texts = {env.reset(5, {"room": room}) for room in ROOMS}
    assert len(texts) == 8
    assert other.reset(5) in texts


def test_plain_sentences_are_as_frequent_as_in_the_reference():
    places = [game("fully").reset(seed).removeprefix(OURS) for seed in range(2000)]
    for begins, share in [
        ("You find yourself in a", 0.15),
        ("You've entered a", 0.12),
        ("Well, here we are in the", 0.06),
    ]:
        assert np.mean([text.startswith(begins) for text in places]) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"room": "attic"}, "options.room = 'attic': the rooms are bedroom, bathroom, "),
        ({"room": 3}, "options.room = 3: the rooms are"),
        ({"room": ["office"]}, r"options.room = \['office'\]: the rooms are"),
        ({"rooms": "office"}, "options.rooms = 'office': Text-Nav takes only 'room'"),
    ],
)
def test_a_bad_option_is_named_with_what_is_right(options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        game().reset(0, options)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"observed": "half"}, "observed = 'half': .*'fully' or 'partially'"),
        ({"objective": "mine"}, "objective = 'mine': there are 'ours', 'reference'"),
        ({"engine": "inform"}, "engine = 'inform': .*'own' or by 'textworld'"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_right(wrong: dict[str, Any], said: str):
    right = {"observed": "fully", "objective": "ours", "engine": "own", "horizon": 15, "cache": ""}
    with pytest.raises(ValueError, match=said):
        TextNav(**(right | wrong))


def test_the_global_random_state_is_left_alone():
    random.seed(5)
    before = random.getstate()
    game().reset(3)
    played(3)
    assert random.getstate() == before


@pytest.mark.parametrize("said", ["take stale food on table", "open fridge now", "insert fruit", "", "take the"])
def test_what_makes_no_command_is_refused_before_any_engine_hears_it(said: str):
    with pytest.raises(Refused):
        understood(said)


@pytest.mark.parametrize("observed", ["fully", "partially"])
def test_a_whole_episode_is_a_few_hundred_tokens_and_a_command_one(observed: Any):
    codec = Codec(phrase_tokenizer(phrases(observed=observed, objective="ours")))
    sizes = []
    for episode in played(200, observed=observed):
        assert all(len(codec.encode(turn.text)) == 1 for turn in episode.turns[1::2])
        sizes.append(sum(len(codec.encode(turn.text)) for turn in episode.turns))
    assert max(sizes) <= 300
    assert np.mean(sizes) < 200


@pytest.mark.parametrize("observed", ["fully", "partially"])
@pytest.mark.parametrize("objective", ["ours", "reference"])
def test_only_numbers_and_full_stops_are_spelt_in_bytes(observed: Any, objective: Any):
    codec = Codec(phrase_tokenizer(phrases(observed=observed, objective=objective)))
    for episode in played(100, observed=observed, objective=objective):
        for turn in episode.turns:
            spelt = {codec.decode([i]) for i in codec.encode(turn.text) if i < 256}
            assert spelt <= set("0123456789."), turn.text


def played(episodes: int, seed: int = 0, **changed: Any) -> list[Trajectory]:
    mixture = {"observed": "partially", "objective": "ours", "horizon": 15, "outskirts": 0.5, "follow": 0.62}
    return list(demonstrations(episodes, seed, **(mixture | changed)))


def test_demonstrations_say_what_the_environment_says():
    env = game("fully")
    for episode in played(100, observed="fully"):
        assert episode.turns[0].text == env.reset(episode.info["seed"])
        steps = [env.step(turn.text) for turn in episode.turns[1::2]]
        assert [(step.reward, step.observation) for step in steps] == [
            (action.reward, seen.text) for action, seen in zip(episode.turns[1::2], episode.turns[2::2], strict=True)
        ]
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
        assert episode.done is not steps[-1].truncated
        assert episode.info == {"seed": episode.info["seed"], **steps[-1].info, "invalid_actions": 0}


def test_demonstrations_repeat_per_seed_and_no_two_episodes_share_their_chance():
    first, again, other = played(50, 7), played(50, 7), played(50, 8)
    assert first == again != other
    assert len({episode.turns for episode in first}) == 50


def test_the_mixture_returns_about_what_the_published_data_does():
    assert np.mean([episode.total for episode in played(4000)]) == pytest.approx(0.26, abs=0.03)


def commands(episode: Trajectory) -> list[str]:
    return [turn.text for turn in episode.turns[1::2]]


def test_whoever_knows_the_inner_rooms_and_always_follows_wins_from_there():
    for episode in played(300, follow=1.0, outskirts=0.0):
        if episode.info["room"] in ("living room", "dining room", "bedroom", "kitchen"):
            assert episode.info["success"]
            assert commands(episode) == walkthrough(episode.info["room"])


def test_whoever_knows_the_outskirts_leaves_them_and_knows_no_more():
    found = played(300, follow=1.0, outskirts=1.0)
    firsts = {room: {commands(e)[0] for e in found if e.info["room"] == room} for room in ROOMS}
    assert {room: firsts[room] for room in ("office", "bathroom", "garden", "backyard")} == {
        "office": {"go north\n"},
        "bathroom": {"go north\n"},
        "garden": {"go south\n"},
        "backyard": {"go east\n"},
    }
    assert len(firsts["living room"]) == 5
    assert np.mean([episode.total for episode in found]) < 0.05


def test_a_hint_looks_at_what_is_carried_now():
    """The reference went on to the fridge with food that had been dropped or put back."""
    for episode in played(400, follow=0.9, outskirts=0.0):
        carries = False
        for before, said in pairwise(["", *commands(episode)]):
            carries = (carries or before.startswith("take stale food")) and before not in (
                "drop stale food\n",
                "put stale food on table\n",
            )
            if said == "insert stale food into fridge\n":
                assert carries


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_no_token_is_spent_on_a_lid_that_no_table_has():
    assert not [
        text for text in phrases(observed="fully", objective="ours") if "open table" in text or "the table, r" in text
    ]


ROW = {
    "text_history": [
        *("You see an open fridge.\n\nAdmissible commands: close fridge, go north", "go up"),
        *("You can't go that way.\n\n\nAdmissible commands: close fridge, go north", "inventory"),
        *("You are carrying nothing.\n\n\nAdmissible commands: close fridge, go north", "close fridge"),
        "*** The End ***",
    ],
    "rewards": [0, 0, 1],
    "dones": [False, False, True],
}


def test_the_references_rows_become_episodes_in_our_form(tmp_path: Path):
    (read,) = read_reference(write(tmp_path / "games.jsonl", ROW))
    assert [turn.text for turn in read.turns] == [f"{text}\n" for text in ROW["text_history"]]  # type: ignore[attr-defined]
    assert [(turn.is_action, turn.reward) for turn in read.turns] == [
        *((False, 0.0), (True, 0)),
        *((False, 0.0), (True, 0)),
        *((False, 0.0), (True, 1)),
        (False, 0.0),
    ]
    assert read.done
    assert read.info == {"success": True, "invalid_actions": 1}


def test_one_array_of_all_rows_is_read_as_well(tmp_path: Path):
    assert len(list(read_reference(write(tmp_path / "games.json", [ROW, ROW, ROW])))) == 3


@pytest.mark.parametrize(("last", "done"), [("You close the fridge.", False), ("  *** You lost! ***\n\nYou", True)])
def test_an_end_that_is_neither_won_nor_lost_is_the_clocks(tmp_path: Path, last: str, done: bool):
    row = ROW | {"text_history": [*ROW["text_history"][:-1], last], "rewards": [0, 0, 0]}  # type: ignore[index]
    (read,) = read_reference(write(tmp_path / "games.jsonl", row))
    assert (read.done, read.info["success"]) == (done, False)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (ROW | {"rewards": [0]}, "text_history needs a text more than twice the rewards"),
        (ROW | {"dones": []}, "text_history needs a text more than twice the rewards, and dones their length"),
        (ROW | {"text_history": ROW["text_history"][:-1]}, "text_history needs a text more"),  # type: ignore[index]
        (ROW | {"rewards": [0, 0, "1"]}, "turn 6: reward '1'"),
        (ROW | {"text_history": [5, "a", "b", "c", "d", "e", "f"]}, "not made as an episode"),
        (ROW | {"rewards": None}, "not made as an episode"),
        ({"rewards": []}, "it has no 'text_history'"),
        (7, "a row is an object with text_history, rewards and dones, not 7"),
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_a_broken_row_names_file_place_and_reason(tmp_path: Path, broken: Any, said: str, array: bool):
    place = r"games\.jsonl, line 1: episode 2: " if array else r"games\.jsonl, line 2: "
    path = write(tmp_path / "games.jsonl", *([[ROW, broken]] if array else [ROW, broken]))
    with pytest.raises(ValueError, match=place + said):
        list(read_reference(path))
