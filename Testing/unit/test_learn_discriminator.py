"""Discriminators: what they judge, their pool, and when they do not learn."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from PETSynthLib.learn.losses.adversarial import squared_slope
from PETSynthLib.learn.methods.discriminator import ImagePool, PatchDiscriminator, frozen

pytestmark = pytest.mark.torch


class TestScores:
    def test_patches_are_judged_and_the_tracer_changes_more_than_their_level(self) -> None:
        torch.manual_seed(0)
        network = PatchDiscriminator(2, base=4, layers=2, classes=3)
        volumes = torch.rand(2, 2, 16, 12, 8)
        scores = network(volumes, torch.tensor([0, 1]))
        assert scores.shape == (2, 1, 4, 3, 2)
        apart = (network(volumes, torch.tensor([0, 2])) - scores).detach()
        assert not apart[0].any()
        assert float(apart[1].std()) > 1e-3

    def test_every_layer_of_stride_two_halves_the_scores(self) -> None:
        critic = PatchDiscriminator(3, 4, layers=1, classes=0)
        assert critic(torch.zeros(1, 3, 8, 8, 8)).shape == (1, 1, 4, 4, 4)
        assert critic.label is None

    @pytest.mark.parametrize("normalised", [True, False])
    def test_a_single_example_is_judged_as_in_company(self, normalised: bool) -> None:
        torch.manual_seed(0)
        network = PatchDiscriminator(1, base=4, layers=2, classes=1, normalised=normalised)
        volumes, label = torch.rand(2, 1, 8, 8, 8), torch.zeros(2, dtype=torch.long)
        assert torch.allclose(
            network(volumes, label)[:1], network(volumes[:1], label[:1]), atol=1e-5
        )


class TestTraining:
    def test_a_penalty_on_the_slope_makes_a_real_critic_flatter(self) -> None:
        torch.manual_seed(0)
        critic, pictures = (
            PatchDiscriminator(1, 4, 2, 0, normalised=False),
            torch.randn(2, 1, 8, 8, 8),
        )
        before = squared_slope(critic, pictures).mean()
        optimiser = torch.optim.Adam(critic.parameters(), 0.01)
        for _ in range(5):
            optimiser.zero_grad()
            squared_slope(critic, pictures).mean().backward()
            optimiser.step()
        assert squared_slope(critic, pictures).mean() < 0.9 * before

    def test_a_frozen_rival_passes_the_gradient_on(self) -> None:
        network, x = PatchDiscriminator(1, 4, 2, 1), torch.rand(1, 1, 8, 8, 8, requires_grad=True)
        with frozen(network):
            network(x, torch.tensor([0])).sum().backward()
        assert x.grad is not None
        assert all(p.grad is None and p.requires_grad for p in network.parameters())

    def test_the_pool_gives_earlier_fakes_half_of_the_time(self) -> None:
        pool = ImagePool(2)
        first = pool.exchange(torch.tensor([[1.0], [2.0]]), torch.tensor([0.1, 0.9]))
        assert first.flatten().tolist() == [1.0, 2.0]
        # 0.3 takes place int(2 * 0.3 * 2) = 1; 0.7 keeps the fake.
        second = pool.exchange(torch.tensor([[3.0], [4.0]]), torch.tensor([0.3, 0.7]))
        assert second.flatten().tolist() == [2.0, 4.0]
        again = ImagePool(2)
        again.restore(pool.state())
        third = again.exchange(torch.tensor([[5.0]]), torch.tensor([0.3]))
        assert third.flatten().tolist() == [3.0]
