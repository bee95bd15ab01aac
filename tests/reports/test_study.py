"""The page of a study, from its storage and from what its runs left."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from lmrl.cli import report
from lmrl.reports.study import StudyReport, as_markdown, gathered, page
from lmrl.studies.plan import read
from lmrl.studies.study import Desk
from lmrl.studies.trial import Outcome, aggregate

ARMS = "arms: {sound: [], wild: [algo.kl_coef=0.0], calm: [algo.kl_coef=0.1]}"
SPACE = """trials: 3
space: {algo.clip: 'interval(0.1, 0.4)', data.passes: 'choice(1, 2)'}
sampler: {_target_: optuna.samplers.RandomSampler, seed: 0}"""


def begun(folder: Path, what: str = ARMS) -> Path:
    """The file of a study that has not begun."""
    file = folder / "study.yaml"
    file.write_text(
        f"# Which <arm> holds?\nstudy: test\nstorage: journal:///{folder}/studies.log\nfolder: {folder}/runs\n"
        "overrides: [task=maze, algo=ppo, data.env_steps=1000]\nseeds: [1, 2, 3, 4]\n"
        f"objective: {{metric: final/return_mean, over_seeds: mean, direction: maximize}}\n{what}\n"
    )
    return file


def run(seed: int, value: float, at: float | None = None, end: str | None = None) -> Outcome:
    """A run that returned so much, or collapsed after so many steps."""
    figures = {"collapsed": float(at is not None), "collapsed_at": at}
    return Outcome(seed, value, end or ("finished" if at is None else "collapsed"), 1.0, figures)  # type: ignore[arg-type]


def carried(file: Path, *trials: Sequence[Outcome]) -> StudyReport:
    """The study, carried to its end with these runs."""
    plan = read(file)
    desk = Desk(plan)
    for outcomes in trials:
        with desk.trial() as trial:
            assert trial
            for outcome in outcomes:
                trial.set_user_attr(f"seed {outcome.seed}", asdict(outcome))
            desk.tell(trial, aggregate([outcome.value for outcome in outcomes], plan.objective))
    return gathered(plan, str(file), None)


SOUND = [run(1, -7), run(2, -8), run(3, -9), run(4, -10)]
WILD = [run(1, -101, 100), run(2, -101, 300), run(3, -9), run(5, -50, end="died")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> StudyReport:
    return carried(begun(tmp_path_factory.mktemp("study")), SOUND, WILD, [run(seed, -6) for seed in (1, 2, 3, 4)])


def test_an_arm_has_its_probability_of_collapse_and_what_died_is_left_out(made: StudyReport) -> None:
    sound, wild, _ = made.arms
    assert sound.collapse is not None
    assert (sound.collapse.value, round(sound.collapse.high, 3)) == (0, 0.49)
    assert wild.collapse is not None
    assert wild.collapse.value == pytest.approx(2 / 3)


def test_survival_goes_down_where_runs_collapsed(made: StudyReport) -> None:
    curve = made.arms[1].survival
    assert curve is not None
    assert curve.at.tolist() == [0, 100, 300, 1000]
    assert curve.share.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])


def test_differences_are_over_the_seeds_that_both_arms_have(made: StudyReport) -> None:
    gap = made.differences["wild"]
    assert gap.seeds == 3
    assert gap.mean.value == pytest.approx((-94 - 93 + 0) / 3)
    assert made.differences["calm"].mean.value == pytest.approx(2.5)
    assert made.base.name == "sound"


def test_what_a_run_left_leads_over_what_it_was_worth(tmp_path: Path) -> None:
    made = carried(begun(tmp_path), SOUND, WILD, [run(seed, -6) for seed in (1, 2, 3, 4)])
    folder = made.plan.place / "trial-1" / "seed-1"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"final/return_mean": -60.0, "collapsed": 1, "collapsed_at": 150}))
    again = gathered(made.plan, "study.yaml", "calm")
    assert again.arms[1].returns[1] == -60
    assert again.arms[1].survival.at.tolist() == [0, 150, 300, 1000]  # type: ignore[union-attr]
    assert again.differences["wild"].mean.value == pytest.approx((-54 - 95 - 3) / 3)


def test_another_arm_can_be_named_and_one_that_is_not_there_is_told(made: StudyReport) -> None:
    with pytest.raises(ValueError, match="against = clam: no such arm; did you mean 'calm'"):
        gathered(made.plan, "study.yaml", "clam")


def test_the_page_and_the_markdown_have_the_question_the_arms_and_the_command(made: StudyReport) -> None:
    html, text = page(made), as_markdown(made)
    assert html.count('<svg role="img"') == 3
    assert "Which &lt;arm&gt; holds?" in html
    assert "seed 5 died" in html
    for shown in (html, text):
        assert f"lmrl-sweep {made.file} --retrain best" in shown
    assert "| wild | 3 | 67 % | [21, 94] | 1 | -75.5 | -62.3" in text


def test_the_chance_of_an_arms_losses_is_asked_by_seed_and_for_all_arms_at_once(tmp_path: Path) -> None:
    file = begun(tmp_path).rename(tmp_path / "again.yaml")
    file.write_text(file.read_text().replace("seeds: [1, 2, 3, 4]", "seeds: range(1, 9)"))
    lost = [[run(seed, -101, 10) if seed <= count else run(seed, -7) for seed in range(1, 9)] for count in (0, 7, 3)]
    made = carried(file, *lost)
    assert made.chances == pytest.approx({"wild": 2 * 2**-6, "calm": 2 * 2**-3}), "p of 7 and of 3, q of two arms"
    assert "<td>0.031</td>" in page(made)
    assert "| [53, 98] | 0.031 |" in as_markdown(made)


def test_a_search_has_its_best_settings_and_what_each_parameter_is_worth(tmp_path: Path) -> None:
    made = carried(begun(tmp_path, SPACE), *([run(seed, value) for seed in (1, 2, 3, 4)] for value in (-9, -7, -8)))
    assert [row["trial"] for row in made.best] == [1, 2, 0]
    assert [arm.name for arm in made.arms] == ["trial 1", "trial 2", "trial 0"]
    assert sum(made.importances.values()) == pytest.approx(1)
    assert "Importance" in page(made)


def test_where_there_is_nothing_to_draw_nothing_is_drawn(tmp_path: Path) -> None:
    alone = carried(begun(tmp_path, "arms: {'a|b': []}"), SOUND)
    assert page(alone).count('<svg role="img"') == 2, "its probability and its survival, and no difference"
    assert "\n| a\\|b | 4 |" in as_markdown(alone)
    (tmp_path / "alike").mkdir()
    alike = carried(begun(tmp_path / "alike", SPACE), *[[run(1, -7)]] * 3)
    assert alike.importances == {}


def test_the_command_writes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = begun(tmp_path)
    carried(file, SOUND, WILD, SOUND)
    change = f"journal:///{tmp_path}/studies.log"
    given = [f"study={file}", f'changes=["storage={change}"]', "tracking=off", f"hydra.run.dir={tmp_path}/out"]
    monkeypatch.setattr(sys, "argv", ["lmrl-report", *given])
    assert report() == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"study.html", "study.md"}


def test_a_study_that_has_not_begun_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has not begun"):
        gathered(read(begun(tmp_path)), "study.yaml", None)
