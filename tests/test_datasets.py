import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from lmrl import datasets
from lmrl.datasets import Source, describe
from lmrl.parquet import export_parquet, read_parquet
from lmrl.tasks import maze, wordle
from lmrl.trajectory import Trajectory, Turn, to_line, write_lines

WORDS = ["panic", "knoll", "mount", "robin"]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("\n".join(WORDS))
    return path


@pytest.fixture
def source(tmp_path: Path, words: Path) -> Source:
    make = partial(wordle.demonstrations, words=str(words), rules="lmrl", smart=0.5)
    return Source(
        make=make,
        read=wordle.read_reference,
        episodes=2500,
        seed=3,
        path=None,
        cache=str(tmp_path / "cache"),
        workers=1,
        chunk=1000,
        version=1,
    )


def left(cache: Path) -> list[str]:
    """The names of the files there, but for the lock."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def two(episodes: int, seed: int) -> Iterator[Trajectory]:
    """Returns -1 (lost) and -4 (won), in turn."""
    for i in range(episodes):
        turns = [Turn("go\n", False), Turn("a\n", True, -1.0), Turn("on\n", False)]
        turns += [Turn("b\n", True, -3.0), Turn("end\n", False)] if i % 2 else []
        yield Trajectory(tuple(turns), True, {"success": bool(i % 2), "seed": seed, "invalid_actions": 0})


def fails(episodes: int, seed: int) -> Iterator[Trajectory]:
    yield from two(1, seed)
    raise ValueError("the maker broke")


def test_statistics_are_those_of_the_episodes(source: Source):
    data = replace(source, make=two, episodes=4).dataset()
    assert data.stats == pytest.approx(
        {
            "episodes": 4,
            "actions": 6,
            "turns": 1.5,
            "turns_low": 1.5 - 0.49,  # 1.96 standard deviations of 0.5 over the root of 4
            "turns_high": 1.5 + 0.49,
            "return_mean": -2.5,  # -1, -4, -1, -4
            "return_mean_low": -2.5 - 1.47,
            "return_mean_high": -2.5 + 1.47,
            "return_std": 1.5,
            "success": 0.5,
            "success_low": 0.5 - 0.49,
            "success_high": 0.5 + 0.49,
            "invalid": 0.0,
            "invalid_low": 0.0,
            "invalid_high": 0.0,
        }
    )
    assert [episode.total for episode in data] == [-1.0, -4.0, -1.0, -4.0]


def test_a_description_tells_the_statistics_to_people(source: Source):
    text = describe(replace(source, make=two, episodes=4).dataset())
    assert "return    -2.50 [-3.97, -1.03] (standard deviation 1.50)" in text
    assert "success   50.0 [1.0, 99.0] %" in text


def test_the_number_of_workers_changes_nothing(source: Source, tmp_path: Path):
    alone = source.dataset().path.read_bytes()
    together = replace(source, workers=2, cache=str(tmp_path / "other")).dataset().path.read_bytes()
    assert alone == together
    assert len(alone.splitlines()) == 2500


def test_chunks_differ_and_a_longer_set_begins_as_the_shorter(source: Source, tmp_path: Path):
    lines = source.dataset().path.read_text().splitlines()
    assert lines[:1000] != lines[1000:2000]
    shorter = replace(source, episodes=2000).dataset().path.read_text().splitlines()
    assert lines[:2000] == shorter


def test_no_two_chunks_have_a_seed_in_common_whatever_the_datas_own(source: Source):
    makers = [replace(source, make=two, seed=seed) for seed in range(4)]
    seeds = [{episode.info["seed"] for episode in maker.dataset()} for maker in makers]
    assert [len(chunks) for chunks in seeds] == [3] * 4
    assert len(set.union(*seeds)) == 12


def test_a_set_in_the_cache_is_not_made_again(source: Source):
    first = replace(source, episodes=5).dataset()
    first.path.write_text("kept")
    assert replace(source, episodes=5, workers=2).dataset() == first
    assert first.path.read_text() == "kept"


def test_a_set_without_its_statistics_is_made_again(source: Source):
    made = replace(source, episodes=5).dataset()
    made.path.with_suffix(".stats.json").unlink()
    assert replace(source, episodes=5).dataset().stats == made.stats


def test_the_fingerprint_follows_what_makes_the_data_and_nothing_else(source: Source, words: Path):
    seen = {source.fingerprint()}
    assert replace(source, workers=2, cache="elsewhere").fingerprint() in seen
    for change in (
        {"chunk": 999},
        {"seed": 4},
        {"episodes": 2501},
        {"version": 2},
        {"make": partial(source.make, smart=0.6)},
        {"make": two},
    ):
        seen.add(replace(source, **change).fingerprint())  # type: ignore[arg-type]
    words.write_text("\n".join(reversed(WORDS)))
    seen.add(source.fingerprint())
    assert len(seen) == 8


def test_the_fingerprint_of_a_file_follows_its_content_its_reader_and_the_version(source: Source, tmp_path: Path):
    write_lines(tmp_path / "a.jsonl", two(2, 0))
    write_lines(tmp_path / "b.jsonl", two(2, 0))
    write_lines(tmp_path / "c.jsonl", two(3, 0))
    a, b, c = (replace(source, path=str(tmp_path / f"{name}.jsonl")) for name in "abc")
    assert a.fingerprint() == b.fingerprint()
    others = [c, replace(a, read=maze.read_reference), replace(a, version=2)]
    assert len({data.fingerprint() for data in (a, *others)}) == 4


def test_a_file_of_ours_is_recognised(source: Source, tmp_path: Path):
    write_lines(tmp_path / "mine.jsonl", two(3, 0))
    data = replace(source, path=str(tmp_path / "mine.jsonl")).dataset()
    assert list(data) == list(two(3, 0))
    assert data.stats["return_mean"] == -2.0


def test_a_parquet_file_is_recognised_by_its_content(source: Source, tmp_path: Path):
    export_parquet(two(3, 0), tmp_path / "mine.data")
    assert list(replace(source, path=str(tmp_path / "mine.data")).dataset()) == list(two(3, 0))


def test_the_references_format_is_what_remains(source: Source, tmp_path: Path):
    row = {
        "sequence": [["Wordle:\n", 0.0], ["p a n i c\n", 1.0], ["g g g g g\n", 0.0]],
        "reward": [0.0, 0.0],
        "done": True,
    }
    (tmp_path / "theirs.jsonl").write_text(json.dumps(row) + "\n")
    (episode,) = replace(source, path=str(tmp_path / "theirs.jsonl")).dataset()
    assert [turn.text for turn in episode.turns] == ["Wordle:\n", "p a n i c\n", "g g g g g\n"]
    assert episode.info["success"]


OURS = '{"turns": [["a"], ["b", 0]], "done": true}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no episodes"),
        ("{\n", "line 1"),
        ("\n\n", "no episodes"),
        (OURS + '{"turns": [["a"]], "done": true}\n', "line 2: an episode needs at least one action"),
        (OURS + '{"turns": [["a"], ["b"', "line 2: "),
        ('{"sequence": [["a", 0], ["b", 1]], "reward": [NaN], "done": true}\n', "line 1: turn 2: reward nan"),
    ],
)
def test_a_broken_file_is_named_and_leaves_nothing_in_the_cache(
    source: Source, tmp_path: Path, content: str, said: str
):
    (tmp_path / "broken.jsonl").write_text(content)
    with pytest.raises(ValueError, match=rf"broken\.jsonl.*{said}"):
        replace(source, path=str(tmp_path / "broken.jsonl")).dataset()
    assert left(tmp_path / "cache") == []


def test_a_blank_line_does_not_hide_whose_format_it_is(source: Source, tmp_path: Path):
    (tmp_path / "mine.jsonl").write_text("\n" + OURS + "\n")
    assert replace(source, path=str(tmp_path / "mine.jsonl")).dataset().stats["episodes"] == 1


def unpaid(episodes: int, seed: int) -> Iterator[Trajectory]:
    yield Trajectory((Turn("go\n", False), Turn("a\n", True, float("nan"))), True)


def test_what_a_maker_makes_is_checked_like_a_file(source: Source, tmp_path: Path):
    with pytest.raises(ValueError, match="turn 2: reward nan"):
        replace(source, make=unpaid, episodes=1).dataset()
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: lines[:-9], "line 3: not JSON"),
        (lambda lines: lines[: lines.rindex("{", 0, -120)], "of 3 episodes are left"),
        (lambda lines: lines.replace("-1.0", "NaN", 1), "line 1: turn 2: reward nan"),
    ],
)
def test_a_damaged_set_in_the_cache_is_named_with_the_remedy(source: Source, damage: Callable[[str], str], said: str):
    source = replace(source, make=two, episodes=3)
    path = source.dataset().path
    whole = path.read_text()
    path.write_text(damage(whole))
    with pytest.raises(ValueError, match=rf"{path}.*{said}.*delete the file, and it is made anew"):
        list(source.dataset())
    path.unlink()
    list(source.dataset())
    assert path.read_text() == whole


@pytest.mark.parametrize("content", ["", '{"episodes": 3, "act', "null"])
def test_damaged_statistics_are_named_with_the_remedy(source: Source, content: str):
    source = replace(source, make=two, episodes=3)
    stats = source.dataset().path.with_suffix(".stats.json")
    stats.write_text(content)
    with pytest.raises(ValueError, match=rf"{stats}: .*delete the file, and it is made anew"):
        source.dataset()
    stats.unlink()
    assert source.dataset().stats["episodes"] == 3


def test_a_maker_that_fails_leaves_nothing_in_the_cache(source: Source, tmp_path: Path):
    with pytest.raises(ValueError, match="the maker broke"):
        replace(source, make=fails, episodes=5).dataset()
    assert left(tmp_path / "cache") == []


def test_a_maker_that_fails_after_a_chunk_leaves_nothing_either(source: Source, tmp_path: Path):
    chunks = [two(10, 0), fails(10, 0)]
    with pytest.raises(ValueError, match="the maker broke"):
        replace(source, make=lambda episodes, seed: chunks.pop(0), episodes=20, chunk=10).dataset()
    assert left(tmp_path / "cache") == []


def test_what_was_stopped_in_its_first_chunk_leaves_nothing(source: Source, tmp_path: Path):
    def stopped(episodes: int, seed: int) -> Iterator[Trajectory]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(source, make=stopped, episodes=5).dataset()
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("absent.jsonl", "data.path = 'absent.jsonl': no such file"),
        (".", "data.path = '.': a folder; a file is needed"),
    ],
)
def test_a_file_that_is_none_is_named(source: Source, path: str, said: str):
    with pytest.raises(ValueError, match=said):
        replace(source, path=path)


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(source: Source, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cache = .*file: cannot keep data there \(.*\); name another folder"):
        replace(source, cache=str(tmp_path / "file")).dataset()


BIG = """
import resource, sys
from functools import partial
from lmrl.datasets import Source
from lmrl.tasks import maze, wordle
if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    make = partial(wordle.demonstrations, words=None, rules="lmrl", smart=0.5)
    Source(make=make, read=wordle.read_reference, episodes=200000, seed=0, path=None, cache=sys.argv[1],
           workers=int(sys.argv[3]), chunk=1000, version=1).dataset()
"""


def big(cache: Path, *, limit: int, workers: int) -> "subprocess.Popen[str]":
    script = cache.parent / "big.py"
    script.write_text(BIG)
    command = [sys.executable, str(script), str(cache), str(limit), str(workers)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)


def test_a_full_disk_gives_one_clear_line_and_leaves_nothing(tmp_path: Path):
    process = big(tmp_path / "cache", limit=100_000, workers=1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot keep data there (File too large); name another folder" in errors.splitlines()[-1]
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize(("how", "workers"), [(signal.SIGKILL, 1), (signal.SIGKILL, 2), (signal.SIGINT, 2)])
def test_what_is_killed_leaves_no_finished_file_and_no_worker(tmp_path: Path, how: signal.Signals, workers: int):
    cache = tmp_path / "cache"
    process = big(cache, limit=2**33, workers=workers)
    deadline = time.monotonic() + 30
    while not any(part.stat().st_size for part in cache.glob("*.part")):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.01)
    helpers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert psutil.wait_procs(helpers, timeout=10)[1] == []
    assert [path for path in cache.iterdir() if path.suffix in (".json", ".jsonl")] == []


def test_making_that_was_stopped_goes_on_after_the_last_whole_chunk(source: Source, tmp_path: Path):
    seeds: list[int] = []

    def stopped(episodes: int, seed: int) -> Iterator[Trajectory]:
        if len(seeds) == 2:
            seeds.append(-1)
            raise KeyboardInterrupt
        seeds.append(seed)
        return two(episodes, seed)

    whole = replace(source, make=two, episodes=25, chunk=10, cache=str(tmp_path / "other")).dataset()
    asked = replace(source, make=stopped, episodes=25, chunk=10)
    with pytest.raises(KeyboardInterrupt):
        asked.dataset()
    (part,) = (tmp_path / "cache").glob("*.part")
    part.write_text(part.read_text() + "half of an epi")
    data = asked.dataset()
    assert data.path.read_bytes() == whole.path.read_bytes()
    assert data.stats == whole.stats
    assert len(set(seeds)) == len(seeds) == 4
    assert left(tmp_path / "cache") == sorted([data.path.name, data.path.with_suffix(".stats.json").name])


def test_reading_that_was_stopped_goes_on_after_the_last_whole_chunk(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stops = [True, False]

    def read(path: Path) -> Iterator[Trajectory]:
        yield from two(3, 0)
        if stops.pop(0):
            raise KeyboardInterrupt
        yield from two(2, 0)

    monkeypatch.setattr(datasets, "READ", 2)
    (tmp_path / "theirs.jsonl").write_text("[]\n")
    asked = replace(source, read=read, path=str(tmp_path / "theirs.jsonl"))
    with pytest.raises(KeyboardInterrupt):
        asked.dataset()
    assert [episode.total for episode in asked.dataset()] == [-1.0, -4.0, -1.0, -1.0, -4.0]


@pytest.mark.parametrize("reads", [False, True])
def test_what_was_stopped_when_all_was_there_lacks_only_its_statistics(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: bool
):
    def stopped(rows: object) -> None:
        raise KeyboardInterrupt

    write_lines(tmp_path / "mine.jsonl", two(20, 0))
    asked = replace(source, make=two, episodes=20, chunk=10, path=str(tmp_path / "mine.jsonl") if reads else None)
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "of_data", stopped)
        with pytest.raises(KeyboardInterrupt):
            asked.dataset()
    assert replace(asked, workers=2).dataset().stats["episodes"] == 20


def hears(episodes: int, seed: int) -> Iterator[Trajectory]:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    for episode in two(episodes, seed):
        yield replace(episode, info={"hears": signal.SIGINT not in blocked})


def test_workers_do_not_hear_a_ctrl_c(source: Source):
    data = replace(source, make=hears, episodes=2, chunk=1, workers=2).dataset()
    assert [episode.info["hears"] for episode in data] == [False, False]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_who_asks_for_what_another_process_makes_waits_for_it(source: Source):
    made = source.dataset()
    made.path.unlink()
    with ThreadPoolExecutor() as pool, FileLock(f"{made.path}.lock"):
        waiting = pool.submit(source.dataset)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        made.path.write_text("".join(f"{to_line(episode)}\n" for episode in two(2500, 0)))
    assert next(iter(waiting.result())).turns[0].text == "go\n"  # what the other wrote


def test_parquet_gives_back_what_it_was_given(tmp_path: Path):
    export_parquet(two(1200, 5), tmp_path / "out" / "two.parquet")
    assert list(read_parquet(tmp_path / "out" / "two.parquet")) == list(two(1200, 5))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["two.parquet"]


def test_parquet_is_in_the_chat_form_that_other_trainers_read(tmp_path: Path):
    import pyarrow.parquet

    export_parquet(two(2, 5), tmp_path / "two.parquet")
    row = pyarrow.parquet.read_table(tmp_path / "two.parquet").to_pylist()[1]
    assert [message["role"] for message in row["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert [message["content"] for message in row["messages"]] == ["go\n", "a\n", "on\n", "b\n", "end\n"]
    assert (row["rewards"], row["done"], row["return"], row["seed"]) == ([-1.0, -3.0], True, -4.0, 5)


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


USER, AGENT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
ROW = {"messages": [USER, AGENT], "rewards": [1.0], "done": True}


def test_a_seed_that_is_no_number_stands_in_info_alone(tmp_path: Path):
    episode = Trajectory((Turn("a", False), Turn("b", True)), True, {"seed": "x"})
    export_parquet([episode], tmp_path / "a.parquet")
    assert list(read_parquet(tmp_path / "a.parquet")) == [episode]


def test_a_foreign_parquet_file_needs_only_messages_rewards_and_done(tmp_path: Path):
    (episode,) = read_parquet(parquet(tmp_path / "a.parquet", [ROW]))
    assert episode == Trajectory((Turn("a", False), Turn("b", True, 1.0)), True, {})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW | {"rewards": [1.0, 2.0]}, "row 2: rewards has 2 numbers: one per assistant message is needed, 1"),
        (ROW | {"messages": [USER], "rewards": []}, "row 2: an episode needs at least one action"),
        (ROW | {"rewards": None}, "row 2: not made as an episode"),
        (ROW | {"rewards": [None]}, "row 2: turn 2: reward None"),
        (
            ROW | {"messages": [{"role": "system", "content": "s"}, USER, AGENT]},
            "row 2: message 1 has the role 'system'",
        ),
        (ROW | {"messages": [USER, {"role": None, "content": "b"}]}, "row 2: message 2 has the role None"),
        (ROW | {"messages": [USER, USER, AGENT]}, "row 2: turn 2: an observation where an action is due"),
        (ROW | {"messages": [{"role": "user", "content": None}, AGENT]}, "row 2: turn 1: text None"),
        (ROW | {"done": None}, "row 2: done = None"),
        (ROW | {"info": "{"}, "row 2: info = '{': an object as JSON"),
        (ROW | {"info": "[]"}, r"row 2: info = \[\]: an object"),
    ],
)
def test_a_broken_parquet_row_names_file_row_and_reason(tmp_path: Path, row: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=rf"a\.parquet, {said}"):
        list(read_parquet(parquet(tmp_path / "a.parquet", [ROW | {"info": None}, row])))


def test_a_parquet_file_without_a_column_says_which(tmp_path: Path):
    rows = [{key: value for key, value in ROW.items() if key != "rewards"}]
    with pytest.raises(ValueError, match="row 1: it has no 'rewards'"):
        list(read_parquet(parquet(tmp_path / "a.parquet", rows)))


def test_a_cut_parquet_file_is_named(tmp_path: Path):
    whole = parquet(tmp_path / "a.parquet", [ROW]).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    with pytest.raises(ValueError, match=r"cut\.parquet: "):
        list(read_parquet(tmp_path / "cut.parquet"))
