"""Stands in for `python -m lmrl`: takes overrides, and leaves in its folder what a run does, in a fraction of a second.

It reaches `algo.gamma` times ten plus its seed; `task.name` says how it ends, `task.max_turns` how long a look takes,
in hundredths of a second.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def main(overrides: Sequence[str]) -> None:
    given = dict(text.split("=", 1) for text in overrides)
    folder, end = Path(given["hydra.run.dir"].strip("'")), given.get("task.name", "well")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overrides.yaml").write_text(json.dumps([text for text in overrides if not text.startswith("hydra")]))
    note(folder, os.getpid())
    if end == "refused":
        print("Epoch 0:   0%|  | 0/9\rEpoch 0:  11%|# | 1/9", "error: hardware = gpu: no GPU here", sep="")
        print("begins from behaviour cloning")  # said before, and written late
        sys.exit(2)
    if end == "dies":
        raise KeyError("error: of its own")
    if end == "saves":
        signal.signal(signal.SIGTERM, lambda *_: save(folder))
    play(folder, given)
    while end in ("hangs", "saves"):  # a signal just before a single long sleep would be handled after it
        time.sleep(0.1)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    reached = 10 * float(given["algo.gamma"]) + int(given["seed"])
    bad = {"diverged": float(end == "diverges"), "collapsed": float(end == "collapses")}
    (folder / "metrics.json").write_text(json.dumps({"final/return_mean": reached, **bad}))


def note(folder: Path, number: int) -> None:
    with (folder / "starts").open("a") as starts:
        starts.write(f"{number}\n")


def save(folder: Path) -> None:
    """What a run does that is told to stop; this one takes its time."""
    time.sleep(1)
    note(folder, 0)
    os._exit(130)


def play(folder: Path, given: Mapping[str, str]) -> None:
    for look in range(1, 1 + int(given["evaluation.times"])):
        time.sleep(float(given.get("task.max_turns", 1)) / 100)
        metrics = {
            "eval/return_mean": float(given["algo.gamma"]) * look + int(given["seed"]),
            "train/entropy": 1 / look,
        }
        with (folder / "metrics.jsonl").open("a") as lines:
            lines.write(json.dumps({"step": look, "time": 0, "metrics": metrics}) + "\n")


def run() -> int:
    """What a fork server has it do."""
    main(sys.argv[1:])
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
