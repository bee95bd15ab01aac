"""Acting by values on top of a cloned policy, and the conservative term."""

import math

import torch
from torch import Tensor

from lmrl.algos.values import data_nll, least, perturbed


def noise(rows: int, columns: int, seed: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def test_values_tilt_the_prior_by_beta() -> None:
    # prior 1/2, 1/4, 1/4 and q 0, ln 2 / 2, 0 at beta 2: weights 1/2, 1/2, 1/4
    prior = torch.tensor([[0.5, 0.25, 0.25]]).log() + 3.0
    policy = perturbed(prior, torch.tensor([[0.0, math.log(2) / 2, 0.0]]), beta=2.0, support=0.0).softmax(-1)
    torch.testing.assert_close(policy, torch.tensor([[0.4, 0.4, 0.2]]))


def test_a_constant_added_to_all_values_changes_no_probability() -> None:
    prior, q = noise(4, 9, 0), noise(4, 9, 1)
    moved = perturbed(prior, q + noise(4, 1, 2), beta=8.0, support=0.1).softmax(-1)
    torch.testing.assert_close(moved, perturbed(prior, q, beta=8.0, support=0.1).softmax(-1))


def test_beta_0_is_the_prior() -> None:
    prior = noise(4, 9, 0)
    torch.testing.assert_close(perturbed(prior, noise(4, 9, 1), beta=0.0, support=0.0).softmax(-1), prior.softmax(-1))


def test_what_the_prior_deems_improbable_is_never_said_however_high_its_value() -> None:
    prior = torch.tensor([[0.8, 0.16, 0.04]]).log()
    q = torch.tensor([[0.0, 0.0, 100.0]])
    assert perturbed(prior, q, beta=1.0, support=0.1).softmax(-1).tolist()[0][2] == 0  # 0.04 < 0.1 * 0.8
    assert perturbed(prior, q, beta=1.0, support=0.04).argmax() == 2  # 0.04 > 0.04 * 0.8
    assert perturbed(prior, q, beta=1.0, support=0.0).argmax() == 2


def test_the_likeliest_token_always_stays() -> None:
    prior, q = noise(16, 9, 0), noise(16, 9, 1)
    assert (perturbed(prior, q, beta=1.0, support=1.0).argmax(-1) == prior.argmax(-1)).all()


def test_the_conservative_term_is_the_cross_entropy_of_the_values() -> None:
    # q 0, 0, ln 2: logsumexp = ln 4; for the last ln 4 - ln 2 = ln 2, for the first ln 4
    q = torch.tensor([[0.0, 0.0, math.log(2)]]).expand(2, 3)
    torch.testing.assert_close(data_nll(q, torch.tensor([2, 0])), torch.tensor([math.log(2), math.log(4)]))


def test_of_twins_the_smaller_speaks() -> None:
    twins = torch.tensor([1.0, -2.0]), torch.tensor([0.0, 5.0])
    assert least(twins).tolist() == [0.0, -2.0]
