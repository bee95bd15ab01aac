import re
from io import StringIO
from pathlib import Path

from rich.console import Console

from lmrl.pages import curve_png, table, transcript_html, transcript_text
from lmrl.trajectory import Trajectory, Turn

WON = Trajectory(
    (
        Turn("Wordle:\n", False),
        Turn("p a n i c\n", True, -1, (1, 2, 3)),
        Turn("b b y b b\n", False),
        Turn("r o b i n\n", True),
    ),
    True,
    {"success": True, "invalid_actions": 0, "word": "robin"},
)
LOST = Trajectory(
    (Turn("go", False), Turn("no", True, -2), Turn("no", True, -3)), False, {"success": False, "invalid_actions": 2}
)


def page(*episodes: Trajectory, **summary: float) -> str:
    return transcript_html(episodes, title="wordle, ilql", summary=summary)


def test_the_text_has_every_turn_its_reward_and_the_return_so_far() -> None:
    assert transcript_text([WON, LOST]).splitlines() == [
        "episode 1 of 2: success, return -1, actions 2, invalid 0",
        "  env   | Wordle:",
        "  agent | p a n i c  [-1, sum -1]",
        "  env   | b b y b b",
        "  agent | r o b i n  [0, sum -1]",
        "",
        "episode 2 of 2: failure, return -5, actions 2, invalid 2",
        "  env   | go",
        "  agent | no  [-2, sum -2]",
        "  agent | no  [-3, sum -5]",
    ]


def test_the_page_needs_nothing_from_outside() -> None:
    html = page(WON, LOST)
    assert not re.search(r"https?:|\bsrc=|<link|@import|url\(", html)


def test_what_an_agent_says_cannot_become_markup() -> None:
    evil = '<script>alert("x")</script>'
    turns = (Turn(evil, False), Turn(evil, True))
    html = transcript_html([Trajectory(turns, True, {"success": True, "note": evil})], title=evil, summary={})
    assert html.count("<script>") == 1  # our own
    assert html.count("&lt;script&gt;") == 5  # title twice, note, two turns


def test_an_observation_is_shown_as_a_person_sees_it_below_its_text() -> None:
    turns = (Turn("7 k\n", False), Turn("8 k\n", True), Turn("9 k\n", False))
    html = transcript_html([Trajectory(turns, True, {})], title="", summary={}, show=lambda text: f"  <{text[0]}>")
    assert re.findall(r'class="seen">(.*)</pre>', html) == ["  &lt;7&gt;", "  &lt;9&gt;"]
    assert 'class="seen">' not in page(WON, LOST)


def test_the_filters_count_successes_and_failures() -> None:
    html = page(WON, LOST, WON)
    assert all(label in html for label in (">All 3<", ">Successes 2<", ">Failures 1<"))
    assert html.count('data-outcome="success"') == 2
    assert html.count('<li class="agent"') == 6
    assert 'data-return="-5.0"' in html


def test_invalid_actions_and_a_clock_that_ended_the_episode_are_marked() -> None:
    assert "2 invalid" in page(LOST)
    assert "failure, cut off" in page(LOST)
    assert " invalid<" not in page(WON)
    assert "cut off" not in page(WON)


def test_an_action_tells_its_reward_the_return_so_far_and_its_tokens() -> None:
    assert "reward -3 · sum -5" in page(LOST)
    assert 'title="3 tokens"' in page(WON)


def test_feedback_letter_by_letter_becomes_tiles_with_the_letters_it_judges() -> None:
    assert '<b class="b">p</b><b class="b">a</b><b class="y">n</b>' in page(WON)
    short = Trajectory((Turn("b y", False), Turn("a", True), Turn("g g", False)), True)
    assert 'class="tiles"' not in page(short)


def test_a_figure_stands_above_with_its_interval_and_its_ends_are_no_figures() -> None:
    html = page(WON, return_mean=-1.0, return_mean_low=-2.5, return_mean_high=0.5, episodes=4096.0)
    assert "<dt>return mean</dt><dd>-1</dd>" in html
    assert "-2.5 to 0.5" in html
    assert "<dd>4096</dd>" in html
    assert html.count("<dt>") == 2


def test_curves_become_a_picture_with_intervals_or_without_and_even_with_nothing(tmp_path: Path) -> None:
    plain = {"eval/return_mean": [(0, -9.0), (100, -5.0)], "train/loss": [(0, 3.0), (100, 1.0)]}
    narrow, wide = (
        {"eval/return_mean_low": [(0, -9 - w), (100, -5 - w)], "eval/return_mean_high": [(0, -9 + w), (100, -5 + w)]}
        for w in (1.0, 2.0)
    )
    half = {name: ends for name, ends in narrow.items() if name.endswith("low")}
    histories = ({}, {"eval/return_mean": plain["eval/return_mean"]}, plain, plain | narrow, plain | wide, plain | half)
    for number, history in enumerate(histories):
        curve_png(history, tmp_path / f"{number}.png")
    *pictures, one_ended = [(tmp_path / f"{number}.png").read_bytes() for number in range(len(histories))]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len(set(pictures)) == 5
    assert one_ended == pictures[2], "half an interval is none"


def shown(rows: dict[str, dict[str, float]]) -> list[str]:
    Console(width=80, file=(out := StringIO())).print(table(rows))
    return out.getvalue().splitlines()


def test_the_table_shows_intervals_where_there_are_some_and_fits_80_columns() -> None:
    played = {"return_mean": -7.0, "return_mean_low": -101.0, "return_mean_high": -99.9, "episodes": 2}
    data = {"return_mean": -83, "success": 0.5, "episodes": 20000}
    first, ends, second = shown({"ilql": played, "data": data})[4:7]
    assert first.split()[:2] == ["ilql", "-7.00"]
    assert "[-101, -99.9]" in ends
    assert second.split() == ["data", "-83.0", "50.0", "20000"]


def test_the_score_shown_is_the_published_one_or_else_that_of_the_data() -> None:
    own = {"score_data": 61.0}
    assert shown({"bc": {"score_paper": 52.0} | own, "data": own})[2].split()[1] == "(paper)"
    title, row = shown({"bc": own})[2:5:2]
    assert title.split()[1] == "(data)"
    assert row.split() == ["bc", "61.0"]
