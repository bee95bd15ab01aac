import pytest

from lmrl.glossary import METRICS, explain, glossary_markdown
from lmrl.scoring import Score, of_data, summarise
from lmrl.trajectory import Trajectory, Turn


def test_every_figure_of_an_evaluation_has_a_sentence() -> None:
    game = Trajectory((Turn("?", False), Turn("go", True)), True, {"success": True, "invalid_actions": 0})
    for key in summarise([game], {"paper": Score(floor=0, mean=1, best=2)}):
        assert explain(f"eval/{key}")
        assert explain(f"final/{key}")


def test_what_is_told_of_data_is_what_its_figures_are() -> None:
    bare = {f"data/{key}" for key in of_data([(-1.0, 1, 0, 0)]) if not key.endswith(("_low", "_high"))}
    assert bare == {name for name in METRICS if name.startswith("data/")}


def test_the_end_of_an_interval_says_which_end_it_is() -> None:
    assert "lower end" in explain("final/score_data_low")
    assert "upper end" in explain("final/score_data_high")


def test_a_name_without_a_sentence_is_refused() -> None:
    with pytest.raises(KeyError, match="eval/luck"):
        explain("eval/luck")


def test_the_table_has_a_row_for_every_name() -> None:
    assert len(glossary_markdown().splitlines()) == 2 + len(METRICS)
