"""The plain U-Net: any extent in, the same extent out, and no samples."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.networks import GroupNorm
from PETSynthLib.generate.unet.network import RegressionUNet

pytestmark = pytest.mark.torch


def test_odd_extents_are_padded_and_cut_again() -> None:
    torch.manual_seed(0)
    network = RegressionUNet(tracers=2, condition=16, base=8, multipliers=(1, 2))
    mean, sd = network(torch.rand(1, 3, 9, 12, 7), torch.zeros(1, 16))
    assert mean.shape == sd.shape == (1, 2, 9, 12, 7)
    assert (sd > 0).all()


def test_the_condition_changes_the_picture_only_after_training() -> None:
    # The conditioning starts at zero: an untrained network ignores what it is told.
    torch.manual_seed(0)
    network = RegressionUNet(tracers=1, condition=4, base=8, multipliers=(1,))
    images = torch.rand(1, 3, 8, 8, 8)
    first, _ = network(images, torch.zeros(1, 4))
    second, _ = network(images, torch.ones(1, 4))
    assert torch.equal(first, second)
    for block in (network.body.middle1, network.body.up[0]):
        torch.nn.init.normal_(block.film.weight, 0, 0.1)
        torch.nn.init.normal_(block.conv2.weight, 0, 0.1)
    first, _ = network(images, torch.zeros(1, 4))
    second, _ = network(images, torch.ones(1, 4))
    assert not torch.equal(first, second)


def test_group_norm_is_computed_in_float32_under_autocast() -> None:
    norm = GroupNorm(2, 4)
    x = torch.randn(1, 4, 5, 5, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        assert norm(x).dtype is torch.float32
    expected = torch.nn.functional.group_norm(x.float(), 2, norm.weight, norm.bias)
    assert torch.equal(norm(x), expected)


def test_samples_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    from test_learn_train import given
    from train_case import Watching, make_store, order

    from PETSynthLib.errors import PETSynthError
    from PETSynthLib.generate import Effort, load_generator
    from PETSynthLib.learn.train.run import train_method
    from PETSynthLib.progress import Silent

    store = make_store(tmp_path / "store", n=12)
    folder = train_method(order("unet", tmp_path / "r", max_minutes=0.0), store, Watching())
    generator = load_generator(str(folder), "cpu").generator
    with pytest.raises(PETSynthError, match="draws no samples"):
        generator.generate(given(store), Effort(samples=1), Silent())
