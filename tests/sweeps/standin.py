"""Stands in for `python -m lmrl`: takes overrides, and leaves in its folder what a run does, in a fraction of a second.

How it goes is told by `policy.end` among the overrides, and what it reaches by `algo.gamma`.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

given = dict(text.lstrip("+").split("=", 1) for text in sys.argv[1:])
folder = Path(given.pop("hydra.run.dir"))
folder.mkdir(parents=True, exist_ok=True)
(folder / "overrides.yaml").write_text(json.dumps([t for t in sys.argv[1:] if not t.startswith("hydra")]))
seed, level, end = int(given["seed"]), float(given["algo.gamma"]), given.get("task.name", "well")
with (folder / "starts").open("a") as starts:
    starts.write(f"{os.getpid()}\n")
if end == "saves":  # what a run does when it is told to stop, slowly

    def save(*_: object) -> None:
        time.sleep(1)
        with (folder / "starts").open("a") as starts:
            starts.write("0\n")
        os._exit(130)

    signal.signal(signal.SIGTERM, save)
if end == "refused":
    sys.exit("error: hardware = gpu: no GPU here")
if end == "dies":
    raise KeyError("a fault")
for look in range(1, 1 + int(given["evaluation.times"])):
    time.sleep(float(given.get("task.max_turns", 1)) / 100)
    row = {"step": look, "time": 0, "metrics": {"eval/return_mean": level * look + seed, "train/entropy": 1 / look}}
    with (folder / "metrics.jsonl").open("a") as lines:
        lines.write(json.dumps(row) + "\n")
if end in ("hangs", "saves"):
    time.sleep(3600)
if end == "killed":
    os.kill(os.getpid(), 9)
figures = {"final/return_mean": 10 * level + seed, "diverged": float(end == "diverges")}
figures["collapsed"] = float(end == "collapses")
(folder / "metrics.json").write_text(json.dumps(figures))
