"""The package where it will be used: in a virtual environment of its own, called from another folder."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PIP = ["-m", "pip", "--disable-pip-version-check", "-q"]
OFFLINE = ["--no-index", "--no-deps", "--no-build-isolation"]


def called(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of a new environment that sees this one's packages, but none that is being worked on."""
    called(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    site = called(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    Path(site, "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "outputs", "mlruns", "dist", "build", "*.db"))
    called(sys.executable, *PIP, "wheel", *OFFLINE, "--wheel-dir", tmp_path / "dist", source, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("lmrl-*.whl")
    return wheel


def answers(python: Path, tmp_path: Path, conf: str) -> None:
    """Each command finds the config tree `conf` and shows what it would do."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for line in ("-m lmrl", python.with_name("lmrl")):
        command = [python, *line.split()] if isinstance(line, str) else [line]
        assert "_target_: lmrl.algos.bc.BC" in called(*command, "--cfg", "job", "task=maze", "algo=bc", cwd=elsewhere)
        assert conf in called(*command, "--info", "searchpath", cwd=elsewhere)
    called(python.with_name("lmrl-data"), "task=wordle", "task.data.episodes=5", "export=o.jsonl", cwd=elsewhere)
    assert len((elsewhere / "o.jsonl").read_text().splitlines()) == 5


@pytest.mark.slow
def test_the_installed_wheel_finds_its_configs_and_its_data(python: Path, wheel: Path, tmp_path: Path) -> None:
    called(python, *PIP, "install", *OFFLINE, "--ignore-installed", wheel, cwd=tmp_path)
    answers(python, tmp_path, "site-packages/lmrl/conf")
    within = set(ZipFile(wheel).namelist())
    files = [file for file in (ROOT / "lmrl").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert {str(file.relative_to(ROOT)) for file in files} <= within, "knowledge, prompts, pages: all that code reads"


@pytest.mark.slow
def test_an_editable_install_reads_the_checkout(python: Path, tmp_path: Path) -> None:
    called(python, *PIP, "install", *OFFLINE, "--ignore-installed", "-e", ROOT, cwd=tmp_path)
    answers(python, tmp_path, f"{ROOT}/conf")


@pytest.mark.slow
def test_a_plain_checkout_needs_no_install(tmp_path: Path) -> None:
    assert "_target_: lmrl.algos.bc.BC" in called(
        "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "lmrl", "--cfg", "job", "task=maze", "algo=bc", cwd=tmp_path
    )
