"""The network of RelA-Diffusion against the published one, the spaces, and running a bundle."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file
from test_learn_train import given
from train_case import Watching, make_store, order

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.generate import Bundle, Effort, load_generator
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.generate.rela.generator import RelaGenerator
from PETSynthLib.generate.rela.network import Convolution, DiffusionUNet, Shape, shape_from
from PETSynthLib.generate.rela.space import (
    LatentSpace,
    VoxelSpace,
    build_space,
    fold,
    padded,
    stacked,
    unfold,
)
from PETSynthLib.generate.rela.units import units_of
from PETSynthLib.generate.schedules import scaled_linear_alphas
from PETSynthLib.learn.prepare.grids import GRIDS
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train.run import train_method
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer

pytestmark = pytest.mark.torch
SHARED = Path(__file__).resolve().parents[3] / "shared"
PARAMETERS = 3_038_017


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("rela") / "store", n=12)


@pytest.fixture(scope="module")
def folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that has barely been trained."""
    run = tmp_path_factory.mktemp("rela-run") / "r"
    return train_method(order("rela", run, "train.steps=2"), store, Watching())


@pytest.fixture(scope="module")
def generator(folder: Path) -> RelaGenerator:
    loaded = load_generator(str(folder), "cpu").generator
    assert isinstance(loaded, RelaGenerator)
    return loaded


def parity() -> Any:
    path = SHARED / "data" / "parity" / "rela_tiny.npz"
    if not path.is_file():
        pytest.skip("../shared/data is not there")
    return np.load(path)


class TestNetwork:
    @pytest.mark.shared
    def test_it_says_what_the_published_network_says(self) -> None:
        known = parity()
        facts = json.loads(str(known["config"]))
        network = DiffusionUNet(
            Shape(
                channels=tuple(facts["channels"]),
                attention=tuple(facts["attention_levels"]),
                blocks=facts["res_blocks"],
                groups=facts["norm_groups"],
                head=facts["head_channels"][-1],
                classes=facts["class_embeddings"],
            )
        )
        prefix = "state/"
        state = {
            k.removeprefix(prefix): torch.from_numpy(known[k].astype(np.float32))
            for k in known.files
            if k.startswith(prefix)
        }
        network.load_state_dict(state)
        x, t, label = (torch.from_numpy(known[k]) for k in ("x", "timesteps", "class_labels"))
        with torch.no_grad():
            epsilon = network(x, t, label)
        assert np.abs(epsilon.numpy() - known["epsilon"]).max() < 1e-4
        alphas = scaled_linear_alphas(1000).numpy()
        assert np.abs(alphas - known["alphas_cumprod"]).max() < 1e-6

    @pytest.mark.shared
    def test_names_and_shapes_are_those_of_the_published_checkpoint(self) -> None:
        table = SHARED / "specs" / "checkpoints" / "rela_keys.tsv"
        if not table.is_file():
            pytest.skip("../shared/specs is not there")
        rows = dict(line.split("\t") for line in table.read_text().splitlines())
        own = {k: str(tuple(v.shape)) for k, v in DiffusionUNet(Shape()).state_dict().items()}
        assert own == rows

    def test_it_has_as_many_parameters_as_published(self) -> None:
        assert sum(p.numel() for p in DiffusionUNet(Shape()).parameters()) == PARAMETERS

    def test_time_tracer_and_what_it_is_told_change_what_it_says(self) -> None:
        torch.manual_seed(0)
        network = DiffusionUNet(Shape(channels=(8, 16), attention=(False, True), head=16, told=3))
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, 0, 0.1)
        x, zero, one = torch.randn(1, 3, 4, 4, 4), torch.tensor([0]), torch.tensor([1])
        told = torch.zeros(1, 3)
        said = [
            network(x, t, label, facts).detach()
            for t, label, facts in (
                (zero, zero, told),
                (one, zero, told),
                (zero, one, told),
                (zero, zero, told + 1),
            )
        ]
        assert all(not torch.allclose(said[0], other) for other in said[1:])

    def test_a_new_network_says_nothing(self) -> None:
        network = DiffusionUNet(Shape(channels=(8, 16), attention=(False, True), head=8))
        said = network(torch.randn(1, 3, 8, 4, 4), torch.tensor([3]), torch.tensor([2]))
        assert not said.any()

    def test_a_grid_narrower_than_the_kernel_has_true_gradients_in_bfloat16(self) -> None:
        torch.manual_seed(0)
        layer, x = Convolution(16, 16), torch.randn(1, 16, 2, 2, 2)
        layer(x).square().sum().backward()
        true = layer.conv.weight.grad.clone()
        for _ in range(5):
            layer.zero_grad()
            left = torch.full((200_000,), 1e30)  # what the allocator hands out again
            del left
            with torch.autocast("cpu", torch.bfloat16):
                said = layer(x)
            said.float().square().sum().backward()
            assert torch.allclose(layer.conv.weight.grad, true, atol=0.05 * float(true.abs().max()))


class TestUnits:
    def test_a_range_ends_at_one_and_a_deviation_at_five(self) -> None:
        suvr = np.array([0.0, 1.0, 3.0, 9.0], np.float32)
        known = {"scaling": "fixed", "suvr_range": {"pib": [0.0, 3.0]}, "suvr_sd": {"pib": 0.5}}
        fixed = units_of(known, "pib", {})
        assert fixed.of(suvr).tolist() == pytest.approx([-1.0, -1 / 3, 1.0, 1.0])
        assert fixed.suvr(fixed.of(suvr)).tolist() == pytest.approx([0.0, 1.0, 3.0, 3.0], abs=1e-6)
        assert (fixed.bound, fixed.empty) == (1.0, -1.0)
        mean = np.array([0.0, 1.5, 2.0, 1.0], np.float32)
        off = units_of({**known, "scaling": "deviation"}, "pib", {"pib": mean})
        assert off.of(suvr).tolist() == [0.0, -1.0, 2.0, 5.0]
        assert off.suvr(np.array([-1.0, 0.0, 0.0, 2.0])).tolist() == [0.0, 1.5, 2.0, 2.0]
        assert off.empty == 0.0


class TestSpace:
    def test_folding_keeps_neighbours_together_and_loses_nothing(self) -> None:
        x = torch.arange(2 * 4 * 4 * 4, dtype=torch.float32).reshape(1, 2, 4, 4, 4)
        z = fold(x, 2)
        assert z.shape == (1, 16, 2, 2, 2)
        assert set(z[0, :8, 0, 0, 0].tolist()) == set(x[0, 0, :2, :2, :2].flatten().tolist())
        assert torch.equal(unfold(z, 2), x)
        assert torch.equal(VoxelSpace(1).encode(x), x)

    def test_air_is_added_behind(self) -> None:
        x = padded(torch.zeros(1, 3, 4, 5), 4)
        assert x.shape == (1, 4, 4, 8)
        assert float(x[0, 3].min()) == float(x[0, 3].max()) == -1.0
        assert float(x[0, :3, :, :5].abs().max()) == 0.0

    def test_latents_are_standardised_and_an_image_is_encoded_by_itself(self) -> None:
        torch.manual_seed(0)
        space = build_space({"kind": "latent", "base": 8, "channels": 2})
        assert isinstance(space, LatentSpace)
        mri = torch.randn(1, 2, 8, 8, 8)
        seen = space.see(mri)
        assert seen.shape == (1, 4, 2, 2, 2)
        hidden = mri.clone()
        hidden[:, 1] = -1.0
        assert torch.equal(space.see(hidden)[:, :2], seen[:, :2])
        pet = torch.randn(1, 1, 8, 8, 8)
        plain = space.encode(pet)
        space.centre += 1.0
        space.spread *= 2.0
        assert torch.allclose(space.encode(pet), (plain - 1) / 2, atol=1e-6)
        assert torch.allclose(space.decode(space.encode(pet)), space.pet.decode(plain), atol=1e-5)

    def test_what_is_not_shown_is_air(self) -> None:
        t1 = np.zeros((1, 1, 2), np.float32)
        assert stacked(t1, None, (1, 1, 2)).ravel().tolist() == [0.0, 0.0, -1.0, -1.0]


class TestGenerator:
    def test_equal_seeds_give_equal_pictures_and_more_draws_their_mean(
        self, store: Store, generator: RelaGenerator
    ) -> None:
        effort = Effort(samples=3, steps=2, seed=5)
        first = generator.generate(given(store), effort, Silent())
        again = generator.generate(given(store), effort, Silent())
        assert np.array_equal(first.mean.data, again.mean.data)
        samples = np.stack([s.data for s in first.samples])
        assert samples.shape == (3, 16, 16, 16)
        assert np.allclose(samples.mean(0), first.mean.data, atol=1e-6)
        assert not np.array_equal(samples[0], samples[1])
        brain = given(store).brain.mask
        assert (first.sd.data[brain] > 0).all()
        assert not first.sd.data[~brain].any()
        assert first.details["draws"] == 3
        assert first.details["seeds"] == [5, 6, 7]

    def test_without_samples_the_bundle_s_own_draws_are_behind_the_mean(
        self, store: Store, generator: RelaGenerator
    ) -> None:
        made = generator.generate(given(store), Effort(steps=3), Silent())
        assert made.samples == ()
        assert (made.details["draws"], made.details["steps"]) == (2, 3)

    @pytest.mark.parametrize("sampler", ["ddpm", "ddim", "solver"])
    def test_every_sampler_runs(self, store: Store, generator: RelaGenerator, sampler: str) -> None:
        made = replace(generator, sampler=sampler).generate(
            given(store), Effort(samples=1, steps=3), Silent()
        )
        assert np.isfinite(made.mean.data).all()
        assert made.details["steps"] == 3

    def test_a_hidden_image_is_as_if_it_had_not_been_given(
        self, store: Store, generator: RelaGenerator
    ) -> None:
        inputs = given(store)
        both = replace(inputs, flair=inputs.t1)
        hidden = replace(generator, hidden=("flair",)).generate(both, Effort(), Silent())
        alone = generator.generate(inputs, Effort(), Silent())
        assert np.array_equal(hidden.mean.data, alone.mean.data)

    def test_an_odd_grid_is_padded_and_cut_again(
        self, store: Store, generator: RelaGenerator
    ) -> None:
        inputs = given(store)

        def cut(volume: Any) -> Any:
            return (
                volume.with_data(volume.data)
                if volume is None
                else replace(volume, data=volume.data[:13, :, :15].copy())
            )

        small = replace(inputs, t1=cut(inputs.t1), brain=cut(inputs.brain))
        # A mean PET would have to lie on the odd grid too.
        facts = {**generator.bundle.facts, "scaling": "fixed"}
        config = {**generator.bundle.config, "method_config": facts}
        generator = replace(generator, bundle=Bundle(generator.bundle.folder, config, ""))
        assert generator.generate(small, Effort(), Silent()).mean.shape == (13, 16, 15)

    def test_a_model_that_needs_a_flair_says_so(
        self, store: Store, generator: RelaGenerator
    ) -> None:
        config = {**generator.bundle.config, "needs": ["flair"]}
        strict = replace(generator, bundle=Bundle(generator.bundle.folder, config, ""))
        with pytest.raises(PETSynthError, match="cannot do without a FLAIR") as refused:
            strict.generate(given(store), Effort(), Silent())
        assert refused.value.code is ErrorCode.BAD_REQUEST

    def test_an_unknown_tracer_is_refused(self, generator: RelaGenerator) -> None:
        with pytest.raises(PETSynthError, match="cannot generate pbr28"):
            generator.bundle.require_tracer("pbr28")

    def test_a_label_without_a_row_is_a_damaged_bundle(self, folder: Path, tmp_path: Path) -> None:
        import shutil

        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        config = json.loads((copy / "config.json").read_text())
        config["method_config"]["tracer_labels"]["fdg"] = 9
        (copy / "config.json").write_text(json.dumps(config))
        write_checksums(copy)
        with pytest.raises(PETSynthError, match="no label for the tracer fdg"):
            load_generator(str(copy), "cpu")

    def test_the_laptop_s_weights_fit_into_three_megabytes(self, store: Store) -> None:
        from PETSynthLib.learn.methods.interface import material_of
        from PETSynthLib.learn.methods.rela import RelaMethod
        from PETSynthLib.learn.methods.rela_config import RelaConfig

        method = RelaMethod(RelaConfig(), material_of(store, "auto"), 0)
        networks = sum(2 * v.numel() for v in method.tensors().values())
        assert networks < 3e6
        means = 2 * 3 * math.prod(GRIDS["3mm"].shape)
        assert networks + means < 4e6  # the shipped bundle: three tracers
        assert shape_from(method.facts["network"]) == method.network.shape

    def test_a_bundle_s_weights_are_float16_under_the_published_names(self, folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        assert {v.dtype for v in weights.values()} == {torch.float16}
        assert "network.middle_block.attention.proj_in.conv.weight" in weights

    def test_the_tracer_chooses_the_scale(self, store: Store, generator: RelaGenerator) -> None:
        other = replace(given(store), tracer=tracer("florbetapir"))
        made = generator.generate(other, Effort(), Silent())
        assert made.mean.tracer == "florbetapir"
        assert made.mean.reference_region == tracer("florbetapir").reference_region
