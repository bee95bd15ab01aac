"""The README does what it says: every command of it runs here, in a small form, in an empty folder."""

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lmrl import cli
from lmrl.glossary import glossary_markdown
from lmrl.tasks.wordle import OUR_WORDS
from tests.speakers.test_generation import gpt2, saved

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
SMALL = "debug=one_step model.width=16"
LAST = "task.data.episodes=64 init.trainer.max_steps=1 trainer.max_steps=1"
"""What an experiment makes large; the last value of a key counts."""


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    program, _, arguments = command.replace("python -m lmrl", "lmrl").partition(" ")
    entries = {"lmrl": cli.train, "lmrl-eval": cli.evaluate, "lmrl-play": cli.play, "lmrl-data": cli.data}
    entry = (entries | {"lmrl-fidelity": cli.fidelity})[program]
    monkeypatch.setattr(sys, "argv", [program, *shlex.split(arguments)])
    return entry()


def with_model(command: str, folder: Path) -> str:
    """The command with a language model where it names none."""
    if "FOLDER_OR_HUB_NAME" not in command:
        return command
    return command.replace("FOLDER_OR_HUB_NAME", saved(folder / "model", lambda: gpt2(1024)))


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("python -m lmrl")])
def test_training_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = "model.width=16" if "debug=" in command else SMALL
    if "algo=prompting" in command:
        small = "debug=one_step model.device=cpu algo.max_tokens=4"
    sizes = LAST if re.search("experiment=|episodes=", command) else ""
    command = re.sub(r"task\.env\.words=\S+", f"task.env.words={OUR_WORDS}", with_model(command, tmp_path))
    positional, flag, rest = command.partition(" --")  # Hydra wants its overrides side by side
    assert run(f"{positional} {small} {sizes}{flag}{rest}", monkeypatch) == 0
    if "--cfg" not in command:
        assert list(tmp_path.rglob("metrics.json"))
        assert (tmp_path / "mlflow.db").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("lmrl-eval")])
def test_a_trained_checkpoint_is_evaluated(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = "guess_city" if "simulator=" in command else "maze"
    assert run(f"lmrl task={task} algo=bc {SMALL} hydra.run.dir=outputs/RUN", monkeypatch) == 0
    assert run(f"{command} evaluation.final_episodes=5", monkeypatch) == 0


@pytest.mark.slow
def test_another_speaker_is_held_against_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (command,) = [c for c in COMMANDS if c.startswith("lmrl-fidelity")]
    small = "task.data.episodes=20 workers=1 questions=20 simulator.device=cpu"
    assert run(f"{with_model(command, tmp_path)} {small}", monkeypatch) == 0
    assert list(tmp_path.rglob("fidelity.html"))


@pytest.mark.slow
def test_data_is_made_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (command,) = [c for c in COMMANDS if c.startswith("lmrl-data")]
    assert run(f"{command} workers=1", monkeypatch) == 0
    assert (tmp_path / "games.parquet").is_file()


@pytest.mark.slow
def test_a_person_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("about\n" * 6))
    (command,) = [c for c in COMMANDS if c.startswith("lmrl-play")]
    assert run(f"{command} workers=1 task.data.episodes=100", monkeypatch) == 0
    assert "Wordle:" in capsys.readouterr().out
    assert list(tmp_path.rglob("games.jsonl"))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_knows_the_target(command: str) -> None:
    subprocess.run([*shlex.split(command), "-n"], cwd=ROOT, check=True, capture_output=True)


def test_no_command_is_of_a_kind_that_no_test_runs() -> None:
    assert all(c.startswith(("make ", "python -m lmrl ", "lmrl-")) for c in COMMANDS)


def test_python_of_the_readme_runs() -> None:
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})


def test_every_metric_is_listed() -> None:
    assert glossary_markdown().strip() in README


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
