import itertools
import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import chess
import pytest

from lmrl.codec import Codec, phrase_tokenizer
from lmrl.tasks.chess import Chess, demonstrations, facts, read_reference, scored_positions, set_up, starts
from lmrl.tasks.chess_text import phrases, picture, spaced, spelling, unspaced
from lmrl.tasks.opponents import Boltzmann, Capturer, Published, Uniform, opponent_named
from lmrl.tasks.uci import Engine, EngineError, Line
from lmrl.trajectory import Trajectory
from tests.endgames import PIECES, is_trivial, tricky
from tests.soak import soak


class Scripted:
    """Black's moves, one after the other."""

    def __init__(self, *moves: str) -> None:
        self._moves = iter(moves)

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        return chess.Move.from_uci(next(self._moves))

    def describe(self) -> str:
        return "a script"


def game(*moves: str, pieces: tuple[str, ...] | None = None, max_moves: int = 400) -> Chess:
    """A game in which Black's moves are known."""
    made = Chess(opponent="random", pieces=pieces, max_moves=max_moves)
    made._opponent = Scripted(*moves)
    return made


def test_the_published_game_word_for_word():
    chess_game = game("e7e5", "b8c6", "g8f6")
    assert chess_game.reset(0) == (
        "r n b q k b n r / p p p p p p p p / 8 / 8 / 8 / 8 / P P P P P P P P / R N B Q K B N R"
        "   w   K Q k q   -   0   1\n"
    )
    step = chess_game.step("e 4\n")
    assert (step.reward, step.done, step.info) == (0.0, False, {})
    assert step.observation == (
        "r n b q k b n r / p p p p 1 p p p / 8 / 4 p 3 / 4 P 3 / 8 / P P P P 1 P P P / R N B Q K B N R"
        "   w   K Q k q   -   0   2\n"
    )
    assert chess_game.step("B c 4\n").observation.endswith("   w   K Q k q   -   2   3\n")
    assert chess_game.step("Q h 5\n").observation.endswith("   w   K Q k q   -   4   4\n")
    last = chess_game.step("Q x f 7 #\n")
    assert last.observation == (
        "r 1 b q k b 1 r / p p p p 1 Q p p / 2 n 2 n 2 / 4 p 3 / 2 B 1 P 3 / 8 / P P P P 1 P P P / R N B 1 K 1 N R"
        "   b   K Q k q   -   0   4\n"
    )
    assert (last.reward, last.done, last.truncated, last.info) == (1.0, True, False, {"success": True, "result": "1-0"})


@pytest.mark.parametrize("said", ["N f 3\n", "Nf3\n", "N f 3 +\n", "N g f 3\n", "g 1 f 3\n", "g1f3\n", "g 1 - f 3\n"])
def test_a_move_may_be_said_in_several_ways(said: str):
    chess_game = game("e7e5")
    chess_game.reset(0)
    assert chess_game.step(said).observation.startswith("r n b q k b n r / p p p p 1 p p p / 8 / 4 p 3 / 8 / 5 N 2 /")


ILLEGAL = [
    "N f 3 ! ?",
    "e 4 ? ?",
    "P e 4",
    "",
    " ",
    "- -",
    "Z 0",
    "0 0 0 0",
    "O - O",
    "e 5",
    "N d 2",
    "K e 2",
    "♘ f 3",
    "e４",
]


@pytest.mark.parametrize("said", [*ILLEGAL, "N" * 10_000, "e 4 " * 2_500, "e 4\n\ne 5"])
def test_an_illegal_move_is_paid_minus_one_and_black_does_not_move(said: str):
    chess_game = game()
    before = chess_game.reset(0)
    step = chess_game.step(f"{said}\n")
    assert (step.observation, step.reward, step.done) == (before, -1.0, False)
    assert step.info == {"invalid_action": True}


def test_a_promotion_names_its_piece():
    chess_game = game("h7h6")
    chess_game.reset(0, {"fen": "8/P6k/8/8/8/8/8/K7 w - - 0 1"})
    assert chess_game.step("a 8\n").info == {"invalid_action": True}
    assert chess_game.step("a 8 = R\n").observation.startswith("R 7 / 8 / 7 k /")


@pytest.mark.parametrize(
    ("fen", "said", "replies", "reward", "result"),
    [
        ("7k/8/6K1/8/8/8/5Q2/8 w - - 0 1", "Q f 7\n", (), 0.0, "1/2-1/2"),  # stalemate
        ("8/8/8/8/8/2k5/8/K2Q4 w - - 0 1", "Q d 2 +\n", ("c3d2",), 0.0, "1/2-1/2"),  # bare kings
        ("7k/8/8/8/8/8/8/KQ6 w - - 149 90", "Q b 2 +\n", (), 0.0, "1/2-1/2"),  # 75 moves
        ("7k/8/8/8/8/8/8/KQ6 w - - 0 1", "Q b 2 +\n", ("h8g8",), 0.0, None),  # goes on
        ("6k1/8/8/8/8/1r6/r7/6K1 w - - 0 1", "K h 1\n", ("b3b1",), -1.0, "0-1"),  # mated
    ],
)
def test_how_games_end(fen: str, said: str, replies: tuple[str, ...], reward: float, result: str | None):
    chess_game = game(*replies)
    chess_game.reset(0, {"fen": fen})
    step = chess_game.step(said)
    assert (step.reward, step.done, step.truncated) == (reward, result is not None, False)
    assert step.info == ({} if result is None else {"success": False, "result": result})


def test_the_fifth_repetition_ends_the_game():
    chess_game = game(*["b8c6", "c6b8"] * 10)
    chess_game.reset(0)
    steps = [chess_game.step(said) for said in ["N f 3\n", "N g 1\n"] * 4]
    assert [step.done for step in steps] == [False] * 7 + [True]
    assert (steps[-1].reward, steps[-1].truncated, steps[-1].info["result"]) == (0.0, False, "1/2-1/2")


def test_the_clock_ends_a_game_as_a_truncation_and_counts_illegal_moves():
    chess_game = game("e7e5", max_moves=2)
    chess_game.reset(0)
    assert not chess_game.step("e 4\n").done
    last = chess_game.step("nonsense\n")
    assert (last.reward, last.done, last.truncated) == (-1.0, True, True)
    assert last.info == {"invalid_action": True, "success": False, "result": "*"}
    with pytest.raises(RuntimeError, match="no game is running"):
        chess_game.step("e 4\n")


def test_a_mate_with_the_last_move_counts():
    chess_game = game(max_moves=1)
    chess_game.reset(0, {"fen": "7k/8/6K1/8/8/8/8/R7 w - - 0 1"})
    step = chess_game.step("R a 8\n")  # the sign of check may be left out
    assert (step.reward, step.truncated) == (1.0, False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fen": "corrupt"}, r"options.fen = 'corrupt': .*; needs FEN of a legal position, White to move"),
        ({"fen": ""}, "options.fen = ''"),
        ({"fen": 7}, "options.fen = '7': a text is needed"),
        ({"fen": "8/8/8/8/8/8/8/K7 w - - 0 1"}, r"cannot arise in a game \(NO_BLACK_KING\)"),
        ({"fen": "k7/8/8/8/8/8/8/8 w - - 0 1"}, "NO_WHITE_KING"),
        ({"fen": "kK6/8/8/8/8/8/8/8 w - - 0 1"}, "OPPOSITE_CHECK"),
        ({"fen": "7k/8/8/8/8/8/8/K6P w - - 0 1"}, "PAWNS_ON_BACKRANK"),
        ({"fen": "8/Q6K/4k3/8/8/8/8/8 b - - 0 1"}, "Black is to move"),
        ({"fen": "7k/8/8/8/8/8/8/K7 w - - 0 1"}, "the game is over"),
        ({"fen": "♔" * 10_000}, "options.fen = '♔"),
        ({"room": "office"}, "options.room = 'office': a game takes only 'fen'"),
    ],
)
def test_a_position_that_cannot_be_played_is_refused(options: dict[str, Any], said: str):
    left, alone = (Chess(opponent="random", pieces=None, max_moves=400) for _ in range(2))
    assert left.reset(5) == alone.reset(5)
    with pytest.raises(ValueError, match=said):
        left.reset(0, options)
    assert left.step("e 4\n") == alone.step("e 4\n")  # the game that was running goes on


def test_a_corrupt_position_is_quoted_in_part():
    with pytest.raises(ValueError, match=r"options\.fen") as refused:
        game().reset(0, {"fen": "♔" * 10_000})
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("pieces", ["kK", "kKN", "kK" + 16 * "Q"])
def test_a_piece_set_that_never_makes_a_game_is_refused(pieces: str):
    with pytest.raises(ValueError, match=f"pieces: '{pieces}' gives White a game to play in none of 10000 placings"):
        game(pieces=(pieces,)).reset(0)


def test_no_piece_set_is_the_usual_start():
    assert game(pieces=()).reset(0) == spaced(chess.STARTING_FEN)


@pytest.mark.parametrize("pieces", ["QK", "kkK", "kKP", "kKx", ""])
def test_a_piece_set_needs_two_kings_and_pieces(pieces: str):
    with pytest.raises(ValueError, match="needs one king of each colour"):
        game(pieces=(pieces,))


def test_legal_actions_are_the_legal_moves():
    chess_game = game()
    chess_game.reset(0)
    actions = chess_game.legal_actions()
    assert len(set(actions)) == len(actions) == 20
    assert {"N f 3\n", "e 4\n", "a 3\n"} <= set(actions)


def test_after_the_end_no_move_is_legal_not_even_blacks():
    chess_game = game()
    chess_game.reset(0, {"fen": "7k/8/8/8/8/8/8/KQ6 w - - 149 90"})
    assert chess_game.step("Q b 2 +\n").done
    assert chess_game.legal_actions() == []


def test_texts_have_their_own_inverse():
    for fen in (chess.STARTING_FEN, "8/8/8/5k2/8/3Q4/8/K7 w - - 0 1", "rnbqkbnr/ppp1pppp/8/3pP3/8/8/8/8 w kq d6 0 3"):
        assert unspaced(spaced(fen)) == fen == unspaced(fen)
    assert spaced("Nf3") == "N f 3\n"


@pytest.mark.parametrize(("pieces", "seen"), [(None, {35}), (PIECES, {11}), (["kQRBNK"], {35})])
def test_what_is_said_needs_few_tokens_and_none_is_spelt_in_bytes(pieces: Any, seen: set[int]):
    """Two squares of a position a token, or a rank of few pieces, and three for its fields."""
    codec = Codec(phrase_tokenizer(phrases(pieces), spelling(pieces)))
    rng, lengths, said = random.Random(0), set[int](), list[int]()
    chess_game = Chess(opponent="random", pieces=pieces, max_moves=400)
    for number in range(3):
        text, done = chess_game.reset(number), False
        while not done:
            legal = chess_game.legal_actions()
            for told in (text, *legal):
                ids = codec.encode(told)
                assert min(ids) >= 256
                assert codec.decode(ids) == told
            lengths.add(len(codec.encode(text)))
            said.extend(len(codec.encode(action)) for action in legal)
            step = chess_game.step(rng.choice(legal))
            text, done = step.observation, step.done
    assert lengths == seen
    assert max(said) <= 6
    assert sum(said) / len(said) < 3.3


def test_a_place_on_the_board_is_a_place_among_the_tokens():
    codec = Codec(phrase_tokenizer(phrases(), spelling()))
    for fen in ("k7/8/3Q4/8/8/8/8/K7 w - - 0 1", "rnbqkbnr/ppp1pppp/3Q4/3pP3/8/8/8/KKKKKKKK w - d6 4 3"):
        text = spaced(fen)
        ids = codec.encode(text)
        assert codec.decode(ids) == text
        assert codec.decode(ids[8:12]) == "3 Q 4 / "
        assert codec.decode(ids[9:10]) == "1 Q "
    assert [codec.decode([i]) for i in codec.encode("R 3 x e 4 +\n")] == ["R ", "3 ", "x ", "e ", "4 +\n"]


def test_where_few_pieces_are_left_a_token_is_a_rank_the_last_one_read_as_any_other():
    codec = Codec(phrase_tokenizer(phrases(PIECES), spelling(PIECES)))
    ids = codec.encode(spaced("1k6/8/3Q4/8/8/8/8/1k6 w - - 0 1"))
    assert ids[0] == ids[7]
    assert codec.decode(ids[:3]) == "1 k 6 / 8 / 3 Q 4 / "
    crowded = spaced("8/RkKR4/8/8/8/8/8/Q7 b - - 12 31")
    assert codec.decode(codec.encode(crowded)) == crowded
    assert min(codec.encode(crowded)) >= 256


def test_a_person_sees_the_board():
    lines = picture(spaced("7k/8/6K1/8/8/8/8/R7 w - - 0 12")).splitlines()
    assert lines[0] == "8 · · · · · · · ♚"
    assert lines[2] == "6 · · · · · · ♔ ·"
    assert lines[7:] == ["1 ♖ · · · · · · ·", "  a b c d e f g h   move 12"]


# Opponents


@pytest.mark.parametrize("name", ["stockfish_nodes", "random"])
def test_the_same_seed_gives_the_same_game_whoever_else_plays(name: Any):
    def moves(seed: int, others: int) -> list[str]:
        games = [Chess(opponent=name, pieces=None, max_moves=30) for _ in range(others + 1)]
        rngs = [random.Random(seed + i) for i in range(others + 1)]
        for i, one in enumerate(games):
            one.reset(seed + i)
        seen = []
        for _ in range(15):
            for one, rng in zip(games, rngs, strict=True):
                step = one.step(rng.choice(one.legal_actions()))
                seen.append(step.observation)
                if step.done:
                    one.reset(seed)
        return seen[:: others + 1]

    assert moves(5, 0) == moves(5, 3)
    assert moves(5, 0) != moves(6, 0)


def test_a_line_is_picked_by_its_score_and_the_dice():
    lines = [Line("a2a3", 0), Line("e2e4", 100)]
    player = Boltzmann(nodes=1, temperature=100.0)
    player._engine = _Told("a2a3", lines)  # type: ignore[assignment]
    picked = [player.move(chess.Board(), random.Random(seed)).uci() for seed in range(4000)]
    assert picked.count("e2e4") / 4000 == pytest.approx(2.71828 / 3.71828, abs=0.025)


class _Told:
    def __init__(self, best: str, lines: list[Line]) -> None:
        self._answer = best, lines

    def ask(self, fen: str, go: str, *, fresh: bool = False) -> tuple[str, list[Line]]:
        assert fresh
        return self._answer


def test_without_a_line_the_best_move_is_made_and_far_mates_do_not_overflow():
    player = Boltzmann(nodes=1, temperature=1.0)
    player._engine = _Told("e2e4", [])  # type: ignore[assignment]
    assert player.move(chess.Board(), random.Random(0)).uci() == "e2e4"
    player._engine = _Told("e2e4", [Line("a2a3", -31_000), Line("e2e4", 31_999)])  # type: ignore[assignment]
    assert player.move(chess.Board(), random.Random(0)).uci() == "e2e4"


def test_the_published_opponent_has_its_effective_elo_on_record():
    assert facts(opponent="stockfish")["opponent"].endswith(", Elo 1350 (1200 is below its range), movetime 100 ms")
    assert facts(opponent="random") == {"opponent": "any legal move"}
    assert "nodes 200, one of 4 lines at 53 centipawns" in facts(opponent="stockfish_nodes")["opponent"]
    move = Published(milliseconds=20).move(chess.Board(), random.Random(0))
    assert move in chess.Board().legal_moves


def test_the_published_opponent_is_held_to_its_elo():
    told = Published()._engine._options
    assert (told["UCI_LimitStrength"], told["UCI_Elo"], told["Threads"]) == ("true", 1350, 1)


def test_the_calibrated_opponent_plays_the_moves_that_it_was_calibrated_with():
    if Engine({}).name() != "Stockfish 15.1":
        pytest.skip("another version plays other moves")
    player, rng, board = opponent_named("stockfish_nodes"), random.Random(7), chess.Board()
    for _ in range(12):
        board.push(player.move(board, rng))
    moves = "c2c4 c7c6 b1c3 g8f6 e2e4 d7d5 e4e5 f6d7 d2d4 d5c4 g1f3 d7b6"
    assert [move.uci() for move in board.move_stack] == moves.split()


def test_an_unknown_opponent_is_refused():
    with pytest.raises(ValueError, match="opponent = 'karpov': 'stockfish_nodes', 'stockfish', 'random' play Black"):
        opponent_named("karpov")


def test_one_engine_serves_all_games_of_a_process():
    assert opponent_named("stockfish_nodes") is opponent_named("stockfish_nodes")
    assert Boltzmann(nodes=1, temperature=1.0)._engine is Boltzmann(nodes=9, temperature=2.0)._engine


def test_a_capturer_mates_or_takes_the_most():
    player, rng = Capturer(), random.Random(0)
    assert player.move(chess.Board("q6k/7p/7K/8/8/8/8/R5Q1 w - - 0 1"), rng).uci() == "g1g7"
    assert player.move(chess.Board("7k/R7/8/K7/8/8/2p5/1Rq5 w - - 0 1"), rng).uci() == "b1b8"  # not the queen
    board = chess.Board("3q3k/8/8/p7/8/8/8/R2R3K w - - 0 1")
    assert player.move(board, rng).uci() == "d1d8"
    assert board.fen() == "3q3k/8/8/p7/8/8/8/R2R3K w - - 0 1"


def test_any_legal_move_is_the_same_for_the_same_dice():
    moves = [Uniform().move(chess.Board(), random.Random(seed)).uci() for seed in range(5)]
    assert moves == ["g2g3", "b1a3", "h2h4", "b2b3", "b2b3"]


# Reliability


def test_an_engine_killed_in_mid_game_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    quiet = list(demonstrations(1, 3, **SETTINGS))
    searcher = Boltzmann(nodes=1, temperature=1.0)._engine
    ask, count = searcher.ask, itertools.count()

    def ask_and_kill(*args: Any, **kwargs: Any) -> Any:
        if next(count) % 7 == 0:
            os.kill(searcher.pid() or 0, signal.SIGKILL)
        return ask(*args, **kwargs)

    monkeypatch.setattr(searcher, "ask", ask_and_kill)
    before = searcher.starts
    assert list(demonstrations(1, 3, **SETTINGS)) == quiet
    assert searcher.starts > before + 3


def test_a_step_without_an_engine_may_be_repeated(monkeypatch: pytest.MonkeyPatch):
    chess_game = Chess(opponent="stockfish_nodes", pieces=None, max_moves=2)
    chess_game.reset(0)

    def dead(*args: Any, **kwargs: Any) -> Any:
        raise EngineError("died")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "ask", dead)
        with pytest.raises(EngineError):
            chess_game.step("e 4\n")
    step = chess_game.step("e 4\n")
    assert (step.reward, step.done) == (0.0, False)
    assert chess_game.step("a 3\n").truncated


# Positions and data

SETTINGS: dict[str, Any] = {
    "opponent": "stockfish_nodes",
    "pieces": None,
    "max_moves": 400,
    "nodes": 200,
    "temperature": 20.0,
    "blunders": (0.1,),
}


def test_endgames_are_drawn_from_the_sets_and_never_a_scored_one():
    rng, sets = random.Random(0), set()
    for _ in range(200):
        board = set_up(PIECES, rng)
        assert board.is_valid()
        assert board.turn == chess.WHITE
        assert not board.is_check()
        assert board.fen().endswith(" w - - 0 1")
        sets.add("".join(sorted(board.board_fen().translate({ord(c): None for c in "12345678/"}))))
    assert sets == {"".join(sorted(one)) for one in PIECES}
    assert not any(set_up(("krrKQ",), rng).is_check() for _ in range(100))  # Black can give check
    first = set_up(PIECES, random.Random(1)).fen()
    assert set_up(PIECES, random.Random(1), but={first}).fen() != first


def test_no_seed_of_endgames_draws_a_scored_position(monkeypatch: pytest.MonkeyPatch):
    endgame = Chess(opponent="random", pieces=PIECES, max_moves=400)
    drawn = unspaced(endgame.reset(11))
    monkeypatch.setattr("lmrl.tasks.chess.scored_positions", lambda: {drawn: None})
    assert unspaced(endgame.reset(11)) != drawn


def test_the_scored_positions_are_those_of_the_script():
    if Engine({}).name() != "Stockfish 15.1":
        pytest.skip("another version finds other mates in 10 000 nodes")
    assert list(itertools.islice(tricky(15), 5)) == list(scored_positions())[:5]


def test_each_scored_position_stands_there_once_and_can_be_played():
    fens = [start["fen"] for start in starts()]
    assert len(fens) == len(set(fens)) == 645 == len(scored_positions())
    endgame = Chess(opponent="random", pieces=PIECES, max_moves=400)
    assert all(unspaced(endgame.reset(0, {"fen": fen})) == fen for fen in fens)


def test_a_quick_mate_is_trivial():
    engine = Engine({"Threads": 1, "Hash": 1})
    assert is_trivial(engine, "7k/8/6K1/8/8/8/8/R7 w - - 0 1")


def test_the_data_repeats_and_is_played_by_the_rules():
    first, again = list(demonstrations(3, 9, **SETTINGS)), list(demonstrations(3, 9, **SETTINGS))
    assert first == again
    assert first != list(demonstrations(3, 10, **SETTINGS))
    for episode in first:
        replay = Chess(opponent="stockfish_nodes", pieces=None, max_moves=400)
        seen = [replay.reset(episode.info["seed"])]
        seen += [replay.step(turn.text).observation for turn in episode.turns[1::2]]
        assert seen == [turn.text for turn in episode.turns[::2]]
        assert episode.info["invalid_actions"] == 0
        assert episode.info["success"] == (episode.total == 1)


def test_blunders_are_any_move_and_cost_games():
    endgames: dict[str, Any] = {**SETTINGS, "pieces": ("kQK",), "nodes": 1000}
    good = [game.total for game in demonstrations(8, 0, **{**endgames, "blunders": (0.0,)})]
    bad = [game.total for game in demonstrations(8, 0, **{**endgames, "blunders": (0.9,)})]
    assert sum(good) > sum(bad)


def test_data_against_random_needs_no_engine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Engine, "ask", None)
    (episode,) = demonstrations(1, 0, **{**SETTINGS, "opponent": "random", "max_moves": 30})
    assert episode.num_actions <= 30


ROWS = [
    {"state": chess.STARTING_FEN, "action": "e4", "reward": 0.0, "done": False},
    {"state": "r n b   w", "action": "Q x f 7 #", "reward": 1.0, "done": True},
]


def read(tmp_path: Path, *rows: Any) -> list[Trajectory]:
    path = tmp_path / "games.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(read_reference(path))


def test_the_references_games_are_read_each_move_once(tmp_path: Path):
    (episode,) = read(tmp_path, ROWS)
    texts = [turn.text for turn in episode.turns]
    assert texts == [spaced(chess.STARTING_FEN), "e 4\n", "r n b   w\n", "Q x f 7 #\n", ""]
    assert [turn.reward for turn in episode.turns[1::2]] == [0.0, 1.0]
    assert (episode.done, episode.info) == (True, {"success": True, "invalid_actions": 0})


def test_the_references_flat_files_are_cut_into_games(tmp_path: Path):
    first, last = ({**row, "from_state": row["state"]} for row in ROWS)
    lost = {**first, "reward": -1.0}
    games = read(tmp_path, first, last, lost, first, first)
    assert [game.num_actions for game in games] == [2, 3]
    assert [game.done for game in games] == [True, False]
    assert [game.info["invalid_actions"] for game in games] == [0, 2]
    assert [game.num_actions for game in read(tmp_path, *[first] * 250)] == [200, 50]


def test_the_references_cloning_rows_are_games_of_one_move(tmp_path: Path):
    games = read(tmp_path, *({"from_state": row["state"], "action": row["action"]} for row in ROWS))
    assert [(game.num_actions, game.total, game.done) for game in games] == [(1, 0.0, True)] * 2


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROWS, [{"state": "x", "reward": 1}]], r"games.jsonl, line 2: a move is an object with state or from_state"),
        ([ROWS, [{**ROWS[0], "action": 5}]], "line 2: a move is an object with state or from_state, action, reward"),
        ([{"state": "x", "done": False}, *ROWS], "line 1: a move is an object"),
        ([*ROWS, {"state": "x", "done": False}], "line 3: a move is an object"),
        ([*ROWS, {**ROWS[0], "reward": float("inf")}], "line 3: turn 2: reward inf"),
        ([ROWS, "e4"], "line 2: a move is an object with state or from_state, action, reward and done, not 'e4'"),
        ([[{**ROWS[0], "reward": float("nan")}]], "line 1: turn 2: reward nan"),
        ([[]], "line 1: an episode needs at least one action"),
    ],
)
def test_a_broken_row_of_the_reference_names_its_line(tmp_path: Path, rows: list[Any], said: str):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, *rows)


@pytest.mark.slow
def test_no_game_is_lost_or_miscounted_while_engines_are_killed():
    assert soak(100, mean=0.2) > 0  # the games take a second or more


def test_a_player_without_a_strength_is_refused():
    with pytest.raises(ValueError, match=r"blunders = \[\]: a share for at least one strength"):
        next(demonstrations(3, 9, **{**SETTINGS, "blunders": ()}))
