"""Heads, networks of them, and copies."""

import torch
from torch import nn

from lmrl.heads import Head, ValueNet, frozen, polyak
from lmrl.models import LanguageModel


def test_a_head_answers_its_bias_at_first() -> None:
    torch.testing.assert_close(Head(8, 3, bias=-4.0)(torch.randn(2, 5, 8)), torch.full((2, 5, 3), -4.0))


def test_a_head_stays_in_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    head, h = Head(8, 3, bias=-80.0), torch.randn(5, 8)
    nn.init.normal_(head.out.weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert nn.Linear(8, 3)(h).dtype == torch.bfloat16
        answer = head(h.bfloat16())
    assert answer.dtype == torch.float32
    torch.testing.assert_close(answer, head(h.bfloat16().float()))


def test_one_answer_of_a_head_is_that_of_all_its_answers_and_so_is_its_gradient() -> None:
    head, h_ND, answer_N = Head(8, 5, bias=-2.0), torch.randn(7, 8), torch.tensor([0, 4, 4, 2, 1, 0, 3])
    torch.nn.init.normal_(head.out.weight)

    def of(one_N: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return one_N, *torch.autograd.grad(one_N.square().sum(), list(head.parameters()))

    torch.testing.assert_close(of(head(h_ND, answer_N)), of(head(h_ND)[range(7), answer_N]))


def test_a_value_net_is_a_trainable_copy_even_of_a_frozen_model(model: LanguageModel) -> None:
    model.lm.requires_grad_(False)
    net = ValueNet(model, {"q": 260, "v": 1}, bias=1.0)
    assert all(p.requires_grad for p in net.parameters())
    assert not any(p.requires_grad for p in model.lm.parameters())
    own = {p.data_ptr() for p in net.lm.parameters()}
    assert own.isdisjoint(p.data_ptr() for p in model.lm.parameters())
    h = torch.zeros(4, 7, 16)
    assert net.head("q", h).shape == (4, 7, 260)
    assert net.head("v", h).shape == (4, 7)


def test_a_frozen_copy_does_not_follow(model: LanguageModel) -> None:
    copy = frozen(model.lm.train())
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.fill_(9.0)
    assert not any(p.requires_grad for p in copy.parameters())
    assert not any(module.training for module in copy.modules())
    assert copy.get_input_embeddings().weight.max() < 9  # type: ignore[operator]


def test_polyak_moves_the_target_by_its_rate() -> None:
    target, source = nn.Linear(1, 1), nn.Linear(1, 1)
    for module, value in ((target, 2.0), (source, 10.0)):
        for p in module.parameters():
            nn.init.constant_(p, value)
    polyak(target, source, 0.25)
    assert [p.item() for p in target.parameters()] == [4.0, 4.0]
    assert [p.item() for p in source.parameters()] == [10.0, 10.0]
