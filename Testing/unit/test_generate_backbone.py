"""Published networks in our own code: as in MONAI, any extent, told what else is known."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.backbone import ConditionedBackbone, scaled_t1
from PETSynthLib.generate.standardisation import suvr_line
from PETSynthLib.generate.swinunetr.network import (
    SwinUNETR,
    apart_mask,
    relative_positions,
    volume_of,
    windows_of,
)
from PETSynthLib.generate.timed import TimedUNet
from PETSynthLib.generate.unet.plain import PlainUNet
from PETSynthLib.generate.unetr.network import UNETR

pytestmark = pytest.mark.torch

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs" / "checkpoints"


def same(theirs: Any, ours: Any, x: torch.Tensor) -> float:
    """Largest difference of two networks with the same weights, over the largest value."""
    state = theirs.state_dict()
    ours.load_state_dict({name: state[name] for name in ours.state_dict()})
    with torch.no_grad():
        a, b = theirs.eval()(x), ours.eval()(x)
    return float((a - b).abs().max() / a.abs().max())


@pytest.fixture(scope="module")
def nets() -> Any:
    """MONAI's networks, which take seconds to import."""
    return pytest.importorskip("monai.networks.nets")


class TestAsInMonai:
    def test_the_plain_unet(self, nets: Any) -> None:
        torch.manual_seed(0)
        theirs = nets.UNet(
            spatial_dims=3, in_channels=2, out_channels=3, channels=(4, 8, 16), strides=(2, 2)
        )
        ours = PlainUNet(2, 3, (4, 8, 16))
        assert set(ours.state_dict()) == set(theirs.state_dict())
        assert same(theirs, ours, torch.rand(2, 2, 16, 12, 8)) < 1e-5

    def test_unetr(self, nets: Any) -> None:
        pytest.importorskip("einops")  # which MONAI's own transformers need
        torch.manual_seed(0)
        theirs = nets.UNETR(
            2, 3, (32, 48, 32), feature_size=4, hidden_size=12, mlp_dim=24, num_heads=3
        )
        ours = UNETR(2, 3, (32, 48, 32), 4, 12, 24, 3)
        assert same(theirs, ours, torch.rand(1, 2, 32, 48, 32)) < 1e-5

    def test_swinunetr(self, nets: Any) -> None:
        pytest.importorskip("einops")
        torch.manual_seed(0)
        theirs = nets.SwinUNETR(2, 3, feature_size=12, window_size=3, downsample="mergingv2")
        assert same(theirs, SwinUNETR(2, 3, 12, 3, 3), torch.rand(1, 2, 96, 64, 64)) < 1e-5

    @pytest.mark.shared
    def test_the_published_checkpoints_names_and_shapes(self) -> None:
        path = SPECS / "cyclic_keys.tsv"
        if not path.is_file():
            pytest.skip("../shared/specs is not here")
        with torch.device("meta"):
            state = PlainUNet(1, 1, (64, 128, 256, 512, 1024)).state_dict()
        rows = list(csv.reader(path.open(encoding="utf-8"), delimiter="\t"))
        assert {name: str(tuple(v.shape)) for name, v in state.items()} == dict(rows)
        assert sum(v.numel() for v in state.values()) == 31_636_937


class TestSwin:
    def test_windows_come_back_as_the_volume(self) -> None:
        x = torch.rand(2, 4, 6, 2, 5)
        windows = windows_of(x, (2, 3, 2))
        assert windows.shape == (2 * 2 * 2, 12, 5)
        assert torch.equal(volume_of(windows, (2, 3, 2), (4, 6, 2)), x)
        assert torch.equal(windows[0], x[0, :2, :3, :2].reshape(12, 5))

    def test_a_cut_window_looks_up_its_own_relative_positions(self) -> None:
        # A window of 2 x 1 x 1 in a cube of 3: the offsets are -1, 0, 1 along the first axis.
        index = relative_positions((2, 1, 1), 3)
        centre = (2 * 5 + 2) * 5 + 2
        assert index.tolist() == [[centre, centre - 25], [centre + 25, centre]]

    def test_a_shift_does_not_join_opposite_ends(self) -> None:
        mask = apart_mask((4, 2, 2), (2, 2, 2), (1, 0, 0))
        assert mask.shape == (2, 8, 8)
        assert not mask[0].any()
        assert mask[1, 0, 4] < 0  # voxels 3 and 0 of the unshifted volume
        assert mask[1, 0, 1] == 0


class TestConditioned:
    @pytest.mark.parametrize(
        "make",
        [
            lambda i, o: PlainUNet(i, o, (4, 8, 8)),
            lambda i, o: UNETR(i, o, (16, 16, 32), 4, 12, 12, 3),
            lambda i, o: SwinUNETR(i, o, 4, 2, 3),
        ],
        ids=["unet", "unetr", "swinunetr"],
    )
    def test_any_extent_and_what_is_told_changes_the_picture(self, make: Any) -> None:
        torch.manual_seed(0)
        network = ConditionedBackbone(make, tracers=2, condition=5)
        images = torch.rand(1, 3, 14, 13, 18)
        images[:, 2] = (images[:, 2] > 0.5).float()
        mean, sd = network(images, torch.zeros(1, 5))
        assert mean.shape == sd.shape == (1, 2, 14, 13, 18)
        assert (sd > 0).all()
        other, _ = network(images, torch.ones(1, 5))
        assert float((other - mean).detach().abs().max()) > 1e-4
        (mean.mean() + sd.mean()).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name

    def test_the_t1_alone_and_a_spread_that_is_stated(self) -> None:
        torch.manual_seed(0)
        network = ConditionedBackbone(
            lambda i, o: PlainUNet(i, o, (4, 8)), 1, 5, inputs="t1", spread=0.25
        )
        images = torch.rand(1, 3, 8, 8, 8)
        images[:, 2] = 1
        images[:, 2, :4] = 0
        mean, sd = network(images, torch.zeros(1, 5))
        assert torch.equal(sd[:, 0], 0.25 * images[:, 2])
        images[:, 1] = 7
        assert torch.equal(network(images, torch.ones(1, 5))[0], mean)

    def test_forms_of_the_t1(self) -> None:
        images = torch.rand(2, 3, 6, 6, 6)
        images[:, 2] = (images[:, 2] > 0.3).float()
        assert torch.equal(scaled_t1(images, "percentile"), images[:, :1])
        low = scaled_t1(images, "minmax")
        assert (float(low.amin()), float(low.amax())) == (0.0, 1.0)
        inside = scaled_t1(images, "zscore")[0, 0][images[0, 2] > 0]
        assert float(inside.mean()) == pytest.approx(0, abs=1e-5)
        assert float(inside.std(correction=0)) == pytest.approx(1, rel=1e-5)


class TestLine:
    FACTS = {  # noqa: RUF012
        "suvr_scale": {"fdg": 0.8},
        "standardisation": {"fdg": {"ge": [1.0, 0.5], "pooled": [1.2, 0.25]}},
    }

    def test_there_and_back_for_the_scanner_that_is_asked_for(self) -> None:
        line = suvr_line(self.FACTS, "fdg", "ge")
        suvr = np.array([0.5, 1.0, 2.0], np.float32)
        assert line.to_network(suvr).tolist() == [-1.0, 0.0, 2.0]
        assert line.to_suvr(line.to_network(suvr)).tolist() == suvr.tolist()
        assert line.to_suvr(np.array([-9.0], np.float32)).tolist() == [0.0]

    def test_an_unknown_scanner_takes_the_pooled_numbers(self) -> None:
        for scanner in (None, "siemens"):
            line = suvr_line(self.FACTS, "fdg", scanner)
            assert (line.offset, line.factor, line.scanner) == (1.2, 0.25, "pooled")

    def test_without_standardisation_the_scale_is_the_tracers(self) -> None:
        line = suvr_line({"suvr_scale": {"fdg": 0.8}}, "fdg", "ge")
        assert (line.offset, line.factor, line.scanner) == (0.0, 0.8, "")


def test_the_timed_network_knows_time_and_tracer() -> None:
    torch.manual_seed(0)
    network = TimedUNet(tracers=2, condition=3, base=8, multipliers=(1,))
    noisy, images = torch.rand(1, 1, 7, 8, 9), torch.rand(1, 3, 7, 8, 9)
    start = network(noisy, torch.zeros(1), images, torch.zeros(1, 5))
    assert start.shape == noisy.shape
    assert not start.any(), "an untrained network says nothing"
    for layer in (network.head, network.body.middle1.film, network.body.middle1.conv2):
        torch.nn.init.normal_(layer.weight, 0, 0.1)
    first = network(noisy, torch.zeros(1), images, torch.zeros(1, 5))
    for t, told in ((torch.ones(1), torch.zeros(1, 5)), (torch.zeros(1), torch.ones(1, 5))):
        assert float((network(noisy, t, images, told) - first).detach().abs().max()) > 1e-4
