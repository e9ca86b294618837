"""How much each region counts in PASTA's loss: target regions, single regions, what is learnt."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.methods.region_weights import RegionWeightConfig, RegionWeights
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.tracers import tracer

pytestmark = pytest.mark.torch


class TestRegionWeights:
    def test_the_target_region_counts_ten_times_and_each_tracer_has_its_own(self) -> None:
        weights = RegionWeights(RegionWeightConfig(), ["fdg", "flortaucipir"])
        inside = labels_of(tracer("fdg").target_region, "both")[0]
        other = set(labels_of(tracer("flortaucipir").target_region, "both")) - set(
            labels_of(tracer("fdg").target_region, "both")
        )
        labels = torch.tensor([[0, inside, min(other)]] * 2, dtype=torch.uint8)
        found = weights(labels, torch.tensor([0, 1]))
        assert found[0].tolist() == [1, 10, 1]
        assert float(found[1, 2]) == 10
        assert float(weights.penalty()) == 0

    def test_single_regions_come_last_on_one_side_or_both(self) -> None:
        config = RegionWeightConfig(regions=("precuneus=15", "hippocampus.L=3"))
        table = RegionWeights(config, ["fdg"]).table[0]
        assert {float(table[n]) for n in labels_of("precuneus", "both")} == {15.0}
        assert float(table[labels_of("hippocampus", "L")[0]]) == 3.0
        assert float(table[labels_of("hippocampus", "R")[0]]) == 1.0

    @pytest.mark.parametrize("text", ["precuneous=15", "precuneus", "precuneus=-1", "=3"])
    def test_a_weight_that_cannot_be_read_is_one_sentence(self, text: str) -> None:
        with pytest.raises(PETSynthError, match="cannot be used"):
            RegionWeights(RegionWeightConfig(regions=(text,)), ["fdg"])

    def test_learnt_factors_keep_their_mean_and_are_pulled_back(self) -> None:
        weights = RegionWeights(RegionWeightConfig(target=1.0, learnable=True), ["fdg"])
        hard, easy = (labels_of(name, "L")[0] for name in ("precuneus", "insula"))
        labels, which = torch.tensor([[hard, easy, 0]]), torch.tensor([0])
        assert weights(labels, which).tolist() == [[1, 1, 1]]
        error = torch.tensor([[2.0, 1.0, 1.0]])
        optimiser = torch.optim.SGD(weights.parameters(), 0.5)
        for _ in range(20):
            optimiser.zero_grad()
            ((weights(labels, which) * error).sum() + weights.penalty()).backward()
            optimiser.step()
        found = weights(labels, which)[0].detach()
        # What cannot be reduced loses weight; the background never changes.
        assert float(found[0]) < 1 - 0.01
        assert float(found[0]) < float(found[1])
        assert float(found[2]) == 1
        assert float(weights.penalty().detach()) > 0
        whole = torch.arange(len(weights.inside))[weights.inside][None]
        assert float(weights(whole, which).detach().log().mean()) == pytest.approx(0, abs=1e-5)
