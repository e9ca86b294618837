"""Losses between pictures: features of VGG-16, the cycle of planes, SSIM, their sum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.losses import vgg_file
from PETSynthLib.learn.losses.image import ImageLoss, LossConfig, require_slices
from PETSynthLib.learn.losses.perceptual import PerceptualDistance, feature_unit, windows
from PETSynthLib.learn.losses.planes import CYCLE, PlaneSchedule
from PETSynthLib.learn.losses.vgg import (
    BGR_MEAN,
    BLOCKS,
    RGB_MEAN,
    RGB_SD,
    VggFeatures,
    from_caffe,
    from_torchvision,
    load_vgg,
)
from PETSynthLib.learn.place import Place
from PETSynthLib.volume import PLANES

pytestmark = pytest.mark.torch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "weights"
PUBLISHED = SHARED / "vgg16_imagenet_block1-4_fp16.npz"
LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21)


@pytest.fixture(scope="module")
def caffe() -> dict[str, torch.Tensor]:
    """Random weights of a VGG-16 with a sixteenth of its channels, in Caffe's layout."""
    generator = torch.Generator().manual_seed(0)
    table, before = {}, 3
    for block, (wide, count) in enumerate(BLOCKS, 1):
        channels = wide // 16
        for number in range(1, count + 1):
            name, spread = f"block{block}_conv{number}", (2 / (9 * before)) ** 0.5
            shape = (channels, before, 3, 3)
            table[f"{name}.weight"] = spread * torch.randn(shape, generator=generator)
            table[f"{name}.bias"] = 0.1 * torch.randn(channels, generator=generator)
            before = channels
    table["block1_conv1.weight"] /= 60.0
    return table


@pytest.fixture(scope="module")
def features(caffe: dict[str, torch.Tensor]) -> VggFeatures:
    return VggFeatures(*from_caffe(caffe))


def by_hand(caffe: dict[str, torch.Tensor], grey: torch.Tensor) -> torch.Tensor:
    """The Caffe network as published: BGR 0..255 without its mean, zeros beyond the edge."""
    own = torch.tensor(BGR_MEAN).reshape(1, 3, 1, 1)
    h = 255 * grey.expand(-1, 3, -1, -1) - own
    for block, (_, count) in enumerate(BLOCKS, 1):
        if block > 1:
            h = torch.nn.functional.max_pool2d(h, 2)
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            weight, bias = caffe[f"{name}.weight"].float(), caffe[f"{name}.bias"].float()
            h = torch.relu(torch.nn.functional.conv2d(h, weight, bias, padding=1))
    return h


def as_torchvision(caffe: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same function of a picture written as torchvision's file would hold it."""
    table = {}
    for layer, name in zip(LAYERS, [k[:-7] for k in caffe if k.endswith("weight")], strict=True):
        table[f"features.{layer}.weight"] = caffe[f"{name}.weight"].float()
        table[f"features.{layer}.bias"] = caffe[f"{name}.bias"].float()
    weight = table["features.0.weight"].flip(1)
    offset = 255 * torch.tensor(RGB_MEAN) - torch.tensor(BGR_MEAN[::-1])
    table["features.0.bias"] = table["features.0.bias"] + torch.einsum("oihw,i->o", weight, offset)
    table["features.0.weight"] = weight * 255 * torch.tensor(RGB_SD).reshape(1, 3, 1, 1)
    return table


class TestVgg:
    def test_both_layouts_give_the_same_features_of_one_picture(
        self, caffe: dict[str, torch.Tensor], features: VggFeatures
    ) -> None:
        picture = torch.rand(2, 1, 48, 56, generator=torch.Generator().manual_seed(1))
        truth = by_hand(caffe, picture)
        assert truth.shape == (2, 32, 6, 7)
        scale = float(truth.max())
        assert float((features(picture) - truth).abs().max()) < 1e-5 * scale
        table, colour = from_torchvision(as_torchvision(caffe))
        edge = from_caffe(caffe)[1]
        assert float((VggFeatures(table, edge)(picture) - truth).abs().max()) < 1e-5 * scale
        # As published, torchvision's network has its own mean colour beyond the picture's edge.
        assert not colour.any()
        assert float((VggFeatures(table, colour)(picture) - truth).abs().max()) < 2e-2 * scale

    @pytest.mark.shared
    def test_the_published_weights_are_read_as_published(self) -> None:
        if not PUBLISHED.is_file():
            pytest.skip("../shared/data/weights is not here")
        with np.load(PUBLISHED) as arrays:
            table = {k: torch.from_numpy(arrays[k]) for k in sorted(arrays.files)}
        picture = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1))
        truth = by_hand(table, picture)
        found = load_vgg(PUBLISHED)(picture)
        assert float((found - truth).abs().max()) < 1e-5 * float(truth.max())

    def test_without_normalisation_the_network_is_shown_the_picture_itself(
        self, caffe: dict[str, torch.Tensor]
    ) -> None:
        network = VggFeatures(*from_torchvision(as_torchvision(caffe)))
        grey = torch.rand(1, 1, 16, 16)
        first = torch.nn.functional.conv2d(
            grey.expand(-1, 3, -1, -1), network.block1_conv1_weight, network.block1_conv1_bias
        )
        seen: list[torch.Tensor] = []
        original = torch.nn.functional.relu
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("torch.nn.functional.relu", lambda h: (seen.append(h), original(h))[1])
            network(grey, normalise=False)
        assert torch.allclose(seen[0][..., 1:-1, 1:-1], first, atol=1e-5)

    def test_inflated_features_of_a_constant_stack_are_those_of_its_slice(
        self, caffe: dict[str, torch.Tensor], features: VggFeatures
    ) -> None:
        picture = torch.rand(1, 1, 16, 16)
        stack = picture[:, :, None].expand(-1, -1, 112, -1, -1)
        flat, deep = features(picture), VggFeatures(*from_caffe(caffe), dims=3)(stack)
        assert deep.shape == (1, 32, 14, 2, 2)
        # The middle is beyond the reach of the ends, outside which there is nothing.
        assert float((deep[:, :, 7] - flat).abs().max()) < 1e-5 * float(flat.max())

    def test_another_network_is_refused_by_name(self, tmp_path: Path) -> None:
        torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "resnet.pth")
        with pytest.raises(PETSynthError, match=r"resnet.pth does not hold the convolutions"):
            load_vgg(tmp_path / "resnet.pth")
        (tmp_path / "bad.npz").write_text("nothing")
        with pytest.raises(PETSynthError, match=r"bad.npz cannot be read"):
            load_vgg(tmp_path / "bad.npz")


class TestFile:
    def test_without_weights_and_network_all_three_ways_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
        for download in (False, True):  # the tests reach no network: the download fails
            with pytest.raises(PETSynthError) as refusal:
                vgg_file.find_vgg(None, download=download)
            assert refusal.value.code is ErrorCode.BAD_DATA
            for way in ("method.loss.vgg=FILE", str(tmp_path / "weights"), "download=true"):
                assert way in refusal.value.hint
        assert not list((tmp_path / "weights").glob("*"))

    def test_the_users_own_file_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / "vgg16-397923af.pth").touch()
        assert vgg_file.find_vgg(None).name == "vgg16-397923af.pth"
        with pytest.raises(PETSynthError, match="There is no file"):
            vgg_file.find_vgg(str(tmp_path / "else.pth"))

    def test_another_file_from_the_address_is_not_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
        (tmp_path / "page.html").write_text("not the weights")
        monkeypatch.setattr(vgg_file, "URL", (tmp_path / "page.html").as_uri())
        with pytest.raises(PETSynthError, match="damaged or another one"):
            vgg_file.find_vgg(None, download=True)
        assert not list((tmp_path / "weights").glob("*"))


def plane_of(epoch: int) -> str:
    return PlaneSchedule(120, "epochs").at(Place(0, float(epoch), 0.0))[1]


class TestPlanes:
    def test_each_round_is_two_thirds_of_the_one_before(self) -> None:
        planes = [plane_of(epoch) for epoch in range(1100)]
        changes = [k for k in range(1, 1100) if planes[k] != planes[k - 1]]
        lengths = np.diff([0, *changes]).tolist()
        expected = [n for n in (120, 80, 53, 35, 23, 15, 10, 7, 5) for _ in range(3)]
        assert lengths[: len(expected)] == expected
        assert planes[:361:120] == ["axial", "coronal", "sagittal", "axial"]

    def test_no_plane_lasts_less_than_one(self) -> None:
        schedule = PlaneSchedule(2, "steps")
        found = [schedule.at(Place(step, 0.0, 0.0)) for step in range(12)]
        # T = 2, then round(4 / 3) = 1 for ever.
        names = ["axial", "axial", "coronal", "coronal", "sagittal", "sagittal", *CYCLE, *CYCLE]
        assert [plane for _, plane in found] == names
        assert [number for number, _ in found] == [0] * 6 + [1] * 3 + [2] * 3

    def test_a_budget_counts_in_thousandths(self) -> None:
        schedule = PlaneSchedule()
        assert schedule.at(Place(9, 0.0, 0.119)) == (0, "axial")
        assert schedule.at(Place(9, 0.0, 0.121)) == (0, "coronal")
        assert schedule.at(Place(9, 0.0, 0.361)) == (1, "axial")

    def test_whole_rounds_are_those_that_began_and_ended_in_between(self) -> None:
        schedule = PlaneSchedule(120, "epochs")

        def rounds(since: float, now: float) -> int:
            return schedule.whole_rounds(Place(0, since, 0), Place(0, now, 0))

        # Rounds begin at 0, 360, 600, 759, ...
        assert rounds(10, 500) == 0
        assert rounds(10, 599) == 0
        assert rounds(10, 600) == 1
        assert rounds(370, 600) == 0
        assert rounds(10, 760) == 2


@pytest.fixture(scope="module")
def scene() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prediction, target and brain (2, 18, 24, 20); the second brain is shorter."""
    generator = torch.Generator().manual_seed(3)
    target = torch.rand(2, 18, 24, 20, generator=generator)
    brain = torch.zeros(2, 18, 24, 20)
    brain[0, 2:16, 3:22, 4:18] = 1
    brain[1, 4:12, 6:20, 5:11] = 1
    prediction = 1.3 * target + 0.2 * torch.rand(target.shape, generator=generator)
    return prediction, target * brain, brain


def side(brain: list[bool]) -> slice:
    """A window's side: the brain and 2 pixels about it, 8 or a multiple, within the slice."""
    first, beyond = brain.index(True), len(brain) - brain[::-1].index(True)
    length = 8
    while length < beyond - first + 4:
        length += 8
    length = min(length, len(brain))
    start = min(max(0, (first + beyond - length) // 2), len(brain) - length)
    return slice(start, start + length)


def slice_by_slice(
    distance: PerceptualDistance,
    scene: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    plane: str,
) -> torch.Tensor:
    """The loss written down as the paper says it, one slice after another."""
    prediction, target, brain = scene
    examples = []
    for n in range(len(target)):
        x, y, mask = (v[n].movedim(PLANES[plane], 0) for v in (prediction, target, brain))
        slices = []
        for k in range(len(y)):
            if not mask[k].any():
                continue
            paper = distance.ranges == "paper"
            window = tuple(side(mask[k].any(axis).tolist()) for axis in (1, 0))
            a, b = x[k][window], y[k][window]
            own = a if paper else b
            shown = (a - own.min()) / (own.max() - own.min())
            known = (b - b.min()) / (b.max() - b.min())
            seen = (distance.features(v[None, None], normalise=not paper) for v in (shown, known))
            part = b.numel() / y[k].numel() / (1.0 if paper else feature_unit(distance.features))
            slices.append(part * torch.nn.functional.mse_loss(*seen))
        examples.append(torch.stack(slices).mean())
    return torch.stack(examples).mean()


class TestPerceptual:
    @pytest.mark.parametrize("ranges", ["target", "paper"])
    @pytest.mark.parametrize("plane", CYCLE)
    def test_all_slices_at_once_are_what_they_are_one_by_one(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...], plane: str, ranges: str
    ) -> None:
        distance = PerceptualDistance(features, ranges)
        prediction, target, brain = scene
        found, known = (prediction.clone().requires_grad_() for _ in range(2))
        value = distance.plane(found, target, brain, plane)
        truth = slice_by_slice(distance, (known, target, brain), plane)
        assert float(value.detach()) == pytest.approx(float(truth.detach()), rel=1e-5)
        (2 * value).backward()
        (2 * truth).backward()
        assert float((found.grad - known.grad).abs().max()) < 1e-5 * float(known.grad.abs().max())

    def test_how_large_a_networks_features_are_does_not_matter_but_as_released(
        self, caffe: dict[str, torch.Tensor], scene: tuple[torch.Tensor, ...]
    ) -> None:
        large = {k: 3 * v if "block4_conv3" in k else v for k, v in caffe.items()}
        found = {
            (size, ranges): float(
                PerceptualDistance(VggFeatures(*from_caffe(table)), ranges).plane(*scene, "axial")
            )
            for size, table in (("as it is", caffe), ("large", large))
            for ranges in ("target", "paper")
        }
        assert found["large", "target"] == pytest.approx(found["as it is", "target"], rel=1e-4)
        assert found["large", "paper"] == pytest.approx(9 * found["as it is", "paper"], rel=1e-4)

    def test_chunks_change_nothing(
        self,
        features: VggFeatures,
        scene: tuple[torch.Tensor, ...],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        distance = PerceptualDistance(features, "target")
        whole = distance.plane(*scene, plane="axial")
        monkeypatch.setattr("PETSynthLib.learn.losses.perceptual.CHUNK_PIXELS", 1000)
        assert float(distance.plane(*scene, plane="axial")) == pytest.approx(float(whole), rel=1e-5)

    def test_the_level_counts_unless_each_picture_has_its_own_range(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...]
    ) -> None:
        _, target, brain = scene
        level = {
            ranges: float(
                PerceptualDistance(features, ranges).plane(1.5 * target, target, brain, "axial")
            )
            for ranges in ("target", "paper")
        }
        assert level["paper"] < 1e-6 * level["target"]

    def test_a_window_holds_the_brain_and_lies_within_the_slice(self) -> None:
        brain = torch.zeros(4, 40, 50)
        brain[0, 10:14, 20:24] = 1  # 4 wide: 8 with its margin
        brain[1, 0:1, 49:50] = 1  # in a corner
        brain[2, 2:39, 5:18] = 1  # all of the rows; 13 wide: 24
        brain[3, 12:15, 20:23] = 1  # 3 wide: the odd pixel lies behind
        assert windows(brain) == {
            (8, 8): {0: (8, 18), 1: (0, 42), 3: (9, 17)},
            (40, 24): {2: (0, 0)},
        }

    def test_slices_without_brain_are_left_out(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...]
    ) -> None:
        prediction, target, brain = (v.clone() for v in scene)
        distance = PerceptualDistance(features, "target")
        before = distance.plane(prediction, target, brain, "axial")
        prediction[:, :, :, :3] += 9.0
        assert float(distance.plane(prediction, target, brain, "axial")) == float(before)

    def test_slices_take_turns_when_not_all_are_shown(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...]
    ) -> None:
        prediction, target, brain = (v[:1] for v in scene)
        distance = PerceptualDistance(features, "target")
        whole = float(distance.plane(prediction, target, brain, "axial"))
        # The brain lies in slices 4 to 17: 5 of them are 0 modulo 3 (6, 9, ...) and so on.
        turns = [float(distance.plane(prediction, target, brain, "axial", 3, k)) for k in (3, 4, 5)]
        counts = [len([k for k in range(4, 18) if k % 3 == turn]) for turn in range(3)]
        mean = sum(c * t for c, t in zip(counts, turns, strict=True)) / sum(counts)
        assert mean == pytest.approx(whole, rel=1e-5)
        assert len(set(turns)) == 3
        thin = torch.zeros_like(brain)
        thin[:, :, :, 4] = brain[:, :, :, 4]
        alone = distance.plane(prediction, target, thin, "axial", 3, 0)
        assert float(alone) == float(distance.plane(prediction, target, thin, "axial"))

    def test_an_example_without_brain_is_one_sentence(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...]
    ) -> None:
        prediction, target, brain = (v.clone() for v in scene)
        brain[1] = 0
        distance = PerceptualDistance(features, "target")
        with pytest.raises(PETSynthError, match="without brain in any coronal slice"):
            distance.plane(prediction, target, brain, "coronal")


class TestImageLoss:
    @pytest.fixture(autouse=True)
    def narrow(self, caffe: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
        def load(path: Path, dims: int) -> VggFeatures:
            return VggFeatures(*from_caffe(caffe), dims=dims)

        monkeypatch.setattr("PETSynthLib.learn.losses.image.load_vgg", load)

    def test_variants_look_at_their_planes(
        self, features: VggFeatures, scene: tuple[torch.Tensor, ...]
    ) -> None:
        def loss(kind: str) -> ImageLoss:
            made = ImageLoss(LossConfig(perceptual=kind, vgg=__file__, every=1))  # type: ignore[arg-type]
            made.stand_at(Place(0, 0.0, 0.13))
            return made

        each = {
            p: 0.5 * float(PerceptualDistance(features, "target").plane(*scene, plane=p))
            for p in PLANES
        }
        found = {k: float(loss(k).extra(*scene)["perceptual"]) for k in ("cyclic", "static", "2d")}
        assert found["cyclic"] == pytest.approx(each["coronal"])
        assert found["static"] == pytest.approx(sum(each.values()) / 3)
        assert found["2d"] == pytest.approx(each["axial"])
        assert float(loss("3d").extra(*scene)["perceptual"]) > 0

    def test_only_terms_with_a_weight_are_computed(self, scene: tuple[torch.Tensor, ...]) -> None:
        assert ImageLoss(LossConfig()).extra(*scene) == {}
        assert list(ImageLoss(LossConfig(ssim=1.0)).extra(*scene)) == ["ssim"]

    def test_a_stop_waits_for_a_whole_round_of_planes(self) -> None:
        cyclic = ImageLoss(LossConfig(perceptual="cyclic", vgg=__file__))
        start, mid, late = (Place(0, 0.0, share) for share in (0.01, 0.5, 0.61))
        assert not cyclic.may_stop(start, mid)
        assert cyclic.may_stop(start, late)
        assert ImageLoss(LossConfig()).may_stop(start, mid)

    def test_a_method_of_slices_says_what_it_can_do(self) -> None:
        require_slices(LossConfig(perceptual="2d"), "flow")
        with pytest.raises(PETSynthError, match="learns single axial slices"):
            require_slices(LossConfig(perceptual="cyclic"), "flow")


SSIM = "the structural similarity (SSIM3D)"
CYCLIC = "the distance of VGG-16's features (one plane after another)"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"ssim": 1.0}, f" It was trained on the squared error and {SSIM}."),
        (
            {"ssim": 1.0, "perceptual": "cyclic"},
            f" It was trained on the squared error, {SSIM} and {CYCLIC}.",
        ),
        ({"perceptual": "cyclic", "perceptual_weight": 0.0}, ""),
    ],
)
def test_a_model_s_card_says_what_it_was_trained_on(settings: dict[str, Any], words: str) -> None:
    assert LossConfig(**settings).words == words
