"""The flow method: networks that start neutral, exact shares of the clinic, honest inference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.assets import atlas_volume, reference_mask
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, LoadedGenerator, load_generator
from PETSynthLib.generate.condition import clinical_vector, scanner_vector
from PETSynthLib.generate.flow.features import (
    atlas_channels,
    slice_stack,
)
from PETSynthLib.generate.flow.generator import load_flow
from PETSynthLib.generate.flow.network import (
    LEAST_SPREAD,
    SPREAD_UNIT,
    MeanNetwork,
    Regional,
    ResidualNetwork,
)
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import simulated_tracers, tracer
from PETSynthLib.volume import CANONICAL, Volume

pytestmark = pytest.mark.torch


class TestFeatures:
    def test_missing_is_zero_with_flag_zero_and_zero_is_known(self) -> None:
        scaling = {n: [10.0, 2.0] for n in ClinicalRecord().numbers()}
        vector = clinical_vector(ClinicalRecord(age=20, mmse=0).numbers(), scaling)
        assert vector.tolist() == [5, 0, 0, -5, 0, 0, 1, 0, 0, 1, 0, 0]

    def test_an_average_scanner_is_no_scanner(self) -> None:
        facts = {"scanners": ["ge", "philips", "siemens"]}
        assert scanner_vector("philips", facts).tolist() == [0, 1, 0]
        assert scanner_vector(None, facts).tolist() == [0, 0, 0]
        # Whoever names a scanner gets that one, also of a model that was adapted to a site.
        facts["site_scanner"] = {"ge": 1.5, "siemens": -0.5}
        assert scanner_vector(None, facts).tolist() == [1.5, 0, -0.5]
        assert scanner_vector("philips", facts).tolist() == [0, 1, 0]

    def test_slices_beyond_the_end_repeat_the_last(self) -> None:
        volume = np.arange(4, dtype=np.float32)[:, None, None]
        assert slice_stack(volume, 0, 5).ravel().tolist() == [0, 0, 0, 1, 2]
        assert slice_stack(volume, 3, 3).ravel().tolist() == [2, 3, 3]

    def test_atlas_channels_put_slices_first_and_right_at_plus_one(self) -> None:
        channels = atlas_channels(CANONICAL, ["fdg"])
        assert channels.shape == (9, 96, 96, 112)
        assert channels[0, 0, -1, 0] == 1.0  # x grows to the subject's right
        assert channels[2, -1, 0, 0] == 1.0  # z grows upwards


class TestMeanNetwork:
    def network(self) -> MeanNetwork:
        torch.manual_seed(0)
        return MeanNetwork(4, 2, 3, 12, 4, base=8, multipliers=(1, 2))

    def test_gives_every_tracer_its_maps(self) -> None:
        maps = self.network().maps(torch.randn(2, 4, 16, 24), torch.zeros(2, 4))
        assert maps.shape == (2, 2, 5, 16, 24)

    def test_what_a_region_leaves_unknown_scales_the_spread_there(self) -> None:
        # Maps: m_0, the gain g, log sd. Two voxels: one in a region, one beside all.
        maps = torch.tensor([[[[1.0, 1.0], [0.5, 0.5], [-2.0, -2.0]]]])
        regional = Regional(torch.tensor([[[0.2, 0.0]]]), torch.tensor([[[3 * SPREAD_UNIT, 0.0]]]))
        mean, sd = MeanNetwork.combine(maps, torch.zeros(1, 1, 1), regional)
        assert mean[0, 0].tolist() == pytest.approx([1 + 1.5 * 0.2, 1.0])
        alone = float(np.exp(-2.0))
        factors = [3 + LEAST_SPREAD, LEAST_SPREAD]
        assert sd[0, 0].tolist() == pytest.approx([alone * f for f in factors])

    def test_the_clinic_enters_only_through_the_scalars(self) -> None:
        maps, scalars = torch.zeros(1, 2, 5, 1, 1), torch.zeros(1, 2, 4)
        maps[0, 0, :, 0, 0] = torch.tensor([1.0, 0.5, 0.25, 0.0, -2.0])
        scalars[0, 0] = torch.tensor([2.0, -4.0, 9.0, 1.0])
        mean, sd = MeanNetwork.combine(maps, scalars)
        assert float(mean[0, 0, 0, 0]) == pytest.approx(1.0 + 2.0 * 0.5 - 4.0 * 0.25)
        assert float(sd[0, 0, 0, 0]) == pytest.approx(np.exp(-2.0 + 1.0))

    def test_every_parameter_receives_a_gradient(self) -> None:
        network = self.network()
        maps = network.maps(torch.randn(2, 4, 16, 24), torch.randn(2, 4))
        mean, sd = network.combine(maps, network.scalars(torch.randn(2, 12)))
        (mean.sum() + sd.sum()).backward()
        # The zero-started ends block what lies before them for the first step only.
        reached = [n for n, p in network.named_parameters() if p.grad is not None]
        assert len(reached) == len(list(network.named_parameters()))


def test_the_residual_network_starts_at_the_mean() -> None:
    network = ResidualNetwork(4, 20, base=8, multipliers=(1, 2))
    out = network(
        torch.randn(1, 1, 8, 8, 8),
        torch.tensor([0.3]),
        torch.randn(1, 4, 8, 8, 8),
        torch.zeros(1, 20),
    )
    assert out.shape == (1, 1, 8, 8, 8)
    assert not out.any()


@pytest.fixture(scope="module")
def flow() -> LoadedGenerator:
    return load_generator("flow", "cpu")


def template_input(flow: LoadedGenerator, key: str, **changes: object) -> GeneratorInput:
    grid = flow.bundle.grid
    t1, brain = atlas_volume("template_t1").crop(grid), atlas_volume("template_brain").crop(grid)
    scaled = t1.with_data(t1.data / np.percentile(t1.data[brain.mask], 97) * brain.data)
    body = {"flair": None, "tracer": tracer(key), "clinical": ClinicalRecord(age=70), **changes}
    return GeneratorInput(scaled, brain, **body)  # type: ignore[arg-type]


def test_a_bundle_of_another_form_is_refused_in_words(flow: LoadedGenerator) -> None:
    facts = {**flow.bundle.config["method_config"], "version": 2}
    strange = replace(flow.bundle, config={**flow.bundle.config, "method_config": facts})
    with pytest.raises(PETSynthError, match="trained by another version of flow"):
        load_flow(strange, "cpu")


@pytest.mark.slow
class TestShippedBundle:
    def test_mean_sd_and_a_sample_of_every_tracer(self, flow: LoadedGenerator) -> None:
        brain = atlas_volume("template_brain").crop(flow.bundle.grid).mask
        for key, entry in simulated_tracers().items():
            made = flow.generator.generate(template_input(flow, key), Effort(1, 2, 0), Silent())
            reference = reference_mask(entry.reference_region).crop(flow.bundle.grid).mask
            assert made.mean.data[reference].mean() == pytest.approx(1.0, abs=0.15), key
            assert np.isfinite(made.samples[0].data).all()
            ratio = np.abs(made.samples[0].data - made.mean.data)[brain] / made.sd.data[brain]
            assert 0.1 < np.median(ratio) < 1.5, key

    def test_one_seed_is_one_picture_and_two_seeds_are_two(self, flow: LoadedGenerator) -> None:
        inputs = template_input(flow, "fdg")
        first = flow.generator.generate(inputs, Effort(1, 2, 7), Silent()).samples[0].data
        again = flow.generator.generate(inputs, Effort(2, 2, 7), Silent()).samples
        assert np.array_equal(first, again[0].data)
        assert not np.array_equal(again[0].data, again[1].data)

    def test_a_mirrored_brain_gives_the_mirrored_mean_of_the_maps(
        self, flow: LoadedGenerator
    ) -> None:
        made = flow.generator.generate(template_input(flow, "fdg"), Effort(), Silent()).mean.data
        # The template is symmetric; only the atlas labels are not, and they may not show much.
        difference = np.abs(made - made[::-1]).mean() / made.mean()
        assert difference < 0.03

    def test_worse_cognition_lowers_fdg_where_alzheimers_does(self, flow: LoadedGenerator) -> None:
        well = template_input(flow, "fdg", clinical=ClinicalRecord(age=70, mmse=29, adas13=8))
        ill = template_input(flow, "fdg", clinical=ClinicalRecord(age=70, mmse=20, adas13=32))
        first, second = (
            flow.generator.generate(i, Effort(), Silent()).mean.data for i in (well, ill)
        )
        regions = atlas_volume("regions").crop(flow.bundle.grid).data
        target = np.isin(regions, [7, 9, 22, 24, 48, 50, 63, 65])
        # Not the occipital lobe: bad scores without atrophy also speak for Lewy bodies.
        sensorimotor = np.isin(regions, [21, 23, 62, 64])
        change = {n: 1 - second[m].mean() / first[m].mean() for n, m in
                  (("target", target), ("sensorimotor", sensorimotor))}  # fmt: skip
        assert change["target"] > 0.05
        assert change["target"] > 1.3 * change["sensorimotor"]

    def test_flair_and_scanner_are_optional(self, flow: LoadedGenerator) -> None:
        inputs = template_input(flow, "fdg")
        flair = Volume(0.7 * inputs.t1.data, inputs.t1.affine, inputs.t1.space)
        other = template_input(flow, "fdg", flair=flair, pet_scanner="philips")
        plain = flow.generator.generate(inputs, Effort(), Silent()).mean.data
        changed = flow.generator.generate(other, Effort(), Silent()).mean.data
        assert not np.array_equal(plain, changed)
        assert np.abs(plain - changed)[inputs.brain.mask].mean() < 0.2
