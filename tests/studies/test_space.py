import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lmrl.studies.space import distribution, ends, seeds_of, spelt


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("interval(1, 10)", FloatDistribution(1, 10)),
        ("int(interval(1, 10))", IntDistribution(1, 10)),
        ("tag(int, log, interval(1, 10))", IntDistribution(1, 10, log=True)),
        ("tag(log, interval(1e-4, 0.3))", FloatDistribution(1e-4, 0.3, log=True)),
        ("range(1, 5)", IntDistribution(1, 4)),
        ("range(1, 9, 3)", IntDistribution(1, 7, step=3)),
        ("range(0, 1, 0.25)", FloatDistribution(0, 0.75, step=0.25)),
        ("tag(log, range(1, 100))", IntDistribution(1, 99, log=True)),
        ("choice(1, 2, 4)", CategoricalDistribution([1, 2, 4])),
        ("choice(true, false)", CategoricalDistribution([True, False])),
        ("null, 0.2", CategoricalDistribution([None, 0.2])),
        ("choice([1,2], [3])", CategoricalDistribution(["[1,2]", "[3]"])),
    ],
)
def test_hydras_grammar_is_optunas_distribution(text: str, kind: object) -> None:
    assert distribution("algo.x", text) == kind


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0.3", "space.algo.x = 0.3: is one value; write choice(...), interval(...) or range(...)"),
        ("glob(*)", "space.algo.x = glob(*): is one value; write choice(...), interval(...) or range(...)"),
        ("interval(2", "space.algo.x = interval(2: Hydra cannot read it: no viable alternative at input 'interval(2'"),
        (
            "choice(1, null)",
            "space.algo.x = choice(1, null): Hydra cannot read it: a list has null, choice(...) has not: null, 0.2",
        ),
        (
            "tag(log, range(1, 100, 3))",
            "space.algo.x = tag(log, range(1, 100, 3)): a logarithmic range has no steps; "
            "write tag(log, interval(...))",
        ),
    ],
)
def test_what_is_no_space_is_told_with_its_key(text: str, error: str) -> None:
    with pytest.raises(ValueError, match="space") as refused:
        distribution("algo.x", text)
    assert str(refused.value) == error


def test_the_ends_of_a_space_are_spelt_as_hydra_reads_them() -> None:
    assert ends(distribution("x", "range(1, 9, 3)")) == [1, 7]
    assert ends(distribution("x", "interval(1e-6, 0.5)")) == [1e-6, 0.5]
    values = ends(distribution("x", "null, true, 1e-06, 'a b', [1,2]"))
    assert [spelt({"x": value})[0] for value in values] == ["x=null", "x=true", "x=1e-06", "x='a b'", "x=[1,2]"]
    again = [distribution("x", f"{spelt({'x': value})[0][2:]},7").choices[0] for value in values]  # type: ignore[attr-defined]
    assert again == values


def test_seeds_are_numbers_a_list_or_a_range() -> None:
    assert seeds_of("range(3, 6)") == [3, 4, 5]
    assert seeds_of("5, 8") == [5, 8]
    assert seeds_of("5") == [5]
    with pytest.raises(ValueError, match=r"seeds = 1\.5: write \[0, 1, 2\] or range\(0, 3\)"):
        seeds_of("1.5")
