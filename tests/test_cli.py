import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from lmrl.cli import run
from lmrl.config import conf_dir

TREE = {
    "train.yaml": """
defaults: [_self_, {task: "???"}, {algo: ppo}, {optional mode@fail: null}]
seed: 0
fail: null
hydra:
  run: {dir: "out/run"}
  sweep: {dir: out, subdir: "${hydra:job.num}"}
""",
    "task/maze.yaml": "max_turns: 100",
    "task/wordle.yaml": "max_turns: 6",
    "algo/ppo.yaml": "{_target_: lmrl.scoring.Score, floor: 0, mean: 1, best: 2}",
    "algo/bc.yaml": "{passes: 1}",
    "mode/fast.yaml": "on",
    "size/large.yaml": "width: 64",
}


def work(cfg: DictConfig, folder: Path, overrides: Sequence[str]) -> None:
    """Note what was handed over, then fail as the config asks."""
    (folder / "seen").write_text(f"{cfg.seed} {list(overrides)} {os.environ.get('HYDRA_FULL_ERROR')}")
    match cfg.get("fail"):
        case "value":
            raise ValueError("task.data.path = x: no such file")
        case "folder":
            (folder / "not" / "there").write_text("")
        case "bug":
            raise KeyError("a fault of ours")
        case "lightning":
            raise MisconfigurationException("`Trainer(devices=0)` is not valid")
        case "interrupt":
            raise KeyboardInterrupt


def write_tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


Command = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Type a command line over TREE; get its exit status, what it said and what it complained about."""
    conf = write_tree(tmp_path / "conf", TREE)
    monkeypatch.chdir(tmp_path)
    for name in ("HYDRA_FULL_ERROR", "LMRL_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # Hydra sets its own, bound to a stream that closes

    def typed(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lmrl", "--config-path", str(conf), *line.split()])
        try:
            status = run("train", f"{__name__}.work", "a test")
        except SystemExit as left:
            status = int(left.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return typed


def test_the_work_gets_the_config_its_folder_and_what_was_typed(command: Command, tmp_path: Path) -> None:
    assert command("task=maze seed=7") == (0, "", "")
    assert (tmp_path / "out/run/seen").read_text() == "7 ['task=maze', 'seed=7'] None"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("task=wordl", "task=wordl: no such option; did you mean 'wordle'? (there are maze, wordle)"),
        ("task=chess", "task=chess: no such option; there are maze, wordle"),
        ("task=maze algo.flor=1", "algo.flor: no such key; did you mean 'algo.floor'?"),
        ("task=maze algo=bc algo.pases=1", "algo.pases: no such key; did you mean 'algo.passes'?"),
        ("task=maze algoo.floor=1", "algoo.floor: no such key; did you mean 'algo'?"),
        ("task=maze seed.x=1", "seed.x: seed is a value and has no keys"),
        ("task=maze ~algo.flor", "algo.flor: no such key; did you mean 'algo.floor'?"),
        (
            "task=maze algo.floor=[1",
            "algo.floor=[1: not a key=value that Hydra can read: no viable alternative at input '[1'",
        ),
        ("task=maze maze", "maze: not a key=value that Hydra can read: missing EQUAL at '<EOF>'"),
        ("task=maze algo.floor=abc", "algo.floor = 'abc': lmrl.scoring.Score takes float"),
        ("task=maze +algo.flor=1", "algo.flor: lmrl.scoring.Score takes no 'flor'; did you mean 'floor'?"),
        ("-m task=maze,wordl", "task=wordl: no such option; did you mean 'wordle'? (there are maze, wordle)"),
        ("-m task=maze,wordle algo.flor=1,2", "algo.flor: no such key; did you mean 'algo.floor'?"),
        ("--cfg job task=maze algo.flor=1", "algo.flor: no such key; did you mean 'algo.floor'?"),
        (
            "task=maze size=large",
            "size: no such key in this command",
        ),
        ("task=2", "task=2: an option is a name, such as model=tiny"),
        ("task=maze algo._tagret_=x", "algo._tagret_: no such key; did you mean 'algo._target_'?"),
        ("task=maze algo.target=x", "algo.target: no such key; did you mean 'algo.best'?"),
        ("task=maze --config-dir nowhere", "--config-dir nowhere: no such folder"),
        ("task=maze fail=lightning", "`Trainer(devices=0)` is not valid"),
        ("task=maze mode=fast", "Could not override 'mode'. Did you mean to override mode@fail?"),
        ("task=maze fail=value", "task.data.path = x: no such file"),
        ("task=maze hydra.run.dir=/dev/null/x", "/dev/null/x: Not a directory"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_the_status_is_two(command: Command, line: str, error: str) -> None:
    assert command(line) == (2, "", f"error: {error}\n")


def test_a_broken_yaml_file_is_named_with_its_line(command: Command, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine", {"task/broken.yaml": "lives: [6"})
    status, _, complaint = command("--config-dir mine task=broken")
    assert status == 2
    assert complaint.startswith("error: ")
    assert complaint.count("\n") == 1
    assert f'"{tmp_path}/mine/task/broken.yaml", line 1' in complaint


def test_a_missing_axis_is_answered_with_its_options(command: Command) -> None:
    status, _, complaint = command("seed=1")
    assert status == 2
    assert complaint.startswith("error: You must specify 'task'")
    assert complaint.count("\n") == 1
    assert "wordle" in complaint


def test_an_error_of_the_file_system_names_the_file(command: Command, tmp_path: Path) -> None:
    status, _, complaint = command("task=maze fail=folder")
    assert (status, complaint) == (2, f"error: {tmp_path}/out/run/not/there: No such file or directory\n")


@pytest.mark.parametrize("variable", ["LMRL_TRACEBACK", "HYDRA_FULL_ERROR"])
def test_the_traceback_is_shown_on_request(command: Command, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    status, _, complaint = command("task=maze fail=value")
    assert status == 2
    assert complaint.startswith("Traceback")
    assert complaint.endswith("ValueError: task.data.path = x: no such file\n")


def test_a_fault_of_ours_shows_its_traceback_unasked(command: Command) -> None:
    status, _, complaint = command("task=maze fail=bug")
    assert status == 1
    assert complaint.startswith("Traceback")


def test_an_interrupted_job_leaves_with_130(command: Command) -> None:
    assert command("task=maze fail=interrupt") == (130, "", "interrupted\n")


def test_a_multirun_goes_on_after_a_failed_job_and_says_so_in_the_end(command: Command, tmp_path: Path) -> None:
    status, _, complaint = command("-m task=maze fail=value,bug,null")
    assert status == 1, "a fault of ours is among them"
    assert "error: task.data.path = x: no such file\n" in complaint
    assert "KeyError: 'a fault of ours'" in complaint
    assert [path.name for path in sorted(tmp_path.glob("out/*/seen"))] == ["seen"] * 3
    assert command("-m task=maze fail=value,null")[0] == 2


def test_our_own_tasks_and_algorithms_can_be_swept(command: Command, tmp_path: Path) -> None:
    sweep = f"--config-path {conf_dir()} -m hydra.sweep.dir=out"
    status, _, complaint = command(f"{sweep} task=maze,wordle algo=bc,ilql")
    assert (status, complaint) == (0, "")
    assert len([*tmp_path.glob("out/*/seen")]) == 4
    status, _, complaint = command(f"{sweep} task=maze,wordl algo=bc")
    assert (status, complaint.partition(" (")[0]) == (2, "error: task=wordl: no such option; did you mean 'wordle'?")


def test_the_environment_stands_as_it_was_afterwards(command: Command) -> None:
    command("task=maze")
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_help_needs_no_choice_and_lists_them(command: Command) -> None:
    status, said, _ = command("--help seed=5")
    assert status == 0
    assert said.startswith("a test\n")
    assert "  task: maze, wordle\n  algo: bc, ppo\n" in said
    assert "Config of task=maze seed=5 " in said
    assert "  seed: 5\n" in said


def test_help_knows_the_users_own_folder_and_tells_errors(command: Command, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine", {"task/hangman.yaml": "lives: 6"})
    said = command("--help --config-dir mine task=wordle")[1]
    assert "  task: hangman, maze, wordle\n" in said
    assert "Config of task=wordle " in said
    assert command("--help task=maze sed=5") == (2, "", "error: sed: no such key; did you mean 'seed'?\n")


def test_what_hydra_offers_is_left_alone(command: Command, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine", {"task/hangman.yaml": "max_turns: 26"})
    for line, answer in {
        "--cfg job task=maze --package task": "max_turns: 100",
        "--config-dir mine --cfg job task=hangman": "max_turns: 26",
        "--cfg job task=maze +new=3": "new: 3",
        "--cfg job task=maze ~seed": "fail: null",
        "--cfg hydra task=maze hydra.job.name=other": "name: other",
    }.items():
        status, said, complaint = command(line)
        assert (status, complaint) == (0, "")
        assert answer in said


def test_info_needs_no_axis(command: Command, tmp_path: Path) -> None:
    program = "import sys; from lmrl.cli import run; sys.exit(run('train', '', ''))"
    line = [sys.executable, "-c", program, "--config-path", str(tmp_path / "conf"), "--info", "defaults"]
    said = subprocess.run(line, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert said.returncode == 0, said.stderr
    assert "task/maze" in said.stdout


def test_a_typo_beside_an_own_folder_still_finds_its_neighbour(command: Command, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine", {"task/hangman.yaml": "lives: 6"})
    assert command("--config-dir mine task=hangman task.live=3")[2] == (
        "error: task.live: no such key; did you mean 'task.lives'?\n"
    )


def test_the_commands_import_nothing_heavy() -> None:
    heavy = {"torch", "lightning", "transformers", "mlflow", "pandas", "matplotlib", "scipy"}
    program = f"import sys, lmrl.cli, lmrl.__main__; print({heavy!r} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"
