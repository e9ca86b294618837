"""Cutting a volume into stacks and putting it together again; drawing volumes of it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.diffusion import Diffusion
from PETSynthLib.generate.pasta.network import ArmShape, DualArm
from PETSynthLib.generate.pasta.sampling import Drawing, draw_volumes
from PETSynthLib.generate.pasta.stacks import (
    Assembly,
    slices_of,
    stack_centres,
    stack_weights,
    stacks_at,
    volume_of,
    widened,
)
from PETSynthLib.generate.schedules import cosine_alphas
from PETSynthLib.volume import PLANES

pytestmark = pytest.mark.torch
PATH = Diffusion(cosine_alphas(1000), "clean")


class TestStacks:
    def test_slices_follow_the_planes_axis_and_come_back(self) -> None:
        volume = torch.arange(24.0).reshape(2, 3, 4)
        assert torch.equal(slices_of(volume, "axial")[1], volume[:, :, 1])
        assert torch.equal(slices_of(volume, "coronal")[1], volume[:, 1])
        assert torch.equal(slices_of(volume, "sagittal")[1], volume[1])
        for plane in PLANES:
            assert torch.equal(volume_of(slices_of(volume, plane), plane), volume)

    def test_a_stack_at_the_end_is_filled(self) -> None:
        slices = torch.arange(5.0)[:, None, None]
        stacks = stacks_at(slices, [0, 2, 4], 3, -1.0)[:, :, 0, 0]
        assert stacks.tolist() == [[-1, 0, 1], [1, 2, 3], [3, 4, -1]]

    def test_weights_fall_linearly_from_the_middle(self) -> None:
        assert stack_weights(5).tolist() == pytest.approx([1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])

    @pytest.mark.parametrize("stride", [1, 2, 3, 5])
    @pytest.mark.parametrize("count", [5, 9, 16])
    def test_every_slice_is_covered_at_any_stride_up_to_the_thickness(
        self, count: int, stride: int
    ) -> None:
        volume = torch.rand(count, 3, 4)
        centres = stack_centres(count, stride)
        assembly = Assembly((count, 3, 4), 5, torch.device("cpu"))
        assembly.add(centres, stacks_at(widened(volume, (4, 6), 9.0), centres, 5, -7.0))
        # Neither what was filled in nor the wider canvas comes back.
        assert torch.allclose(assembly.slices(), volume, atol=1e-6)

    def test_overlapping_predictions_are_averaged_by_their_distance(self) -> None:
        assembly = Assembly((3, 1, 1), 3, torch.device("cpu"))
        ones = torch.ones(2, 3, 1, 1)
        ones[1] = 4.0
        assembly.add([0, 2], ones)
        # Slice 1 is at distance 1 of both: weights 1/2 and 1/2.
        assert assembly.slices().flatten().tolist() == pytest.approx([1.0, 2.5, 4.0])


class Echo(torch.nn.Module):
    """A network that draws the T1 it was given plus a tenth of its noise; counts its work."""

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.shape = ArmShape(slices=slices, width=32, multipliers=(1, 1))
        self.read, self.denoised = 0, 0
        self.asked: list[int] = []
        self.model = self

    def read_mri(self, mri: torch.Tensor, known: torch.Tensor) -> tuple[list[torch.Tensor], None]:
        self.read += len(mri)
        return [mri[:, : self.shape.slices]], None

    def denoise(self, x: torch.Tensor, t: torch.Tensor, given: list[torch.Tensor]) -> torch.Tensor:
        self.denoised += len(x)
        self.asked += t[:1].tolist()
        return given[0] + 0.1 * x


def drawn(network: object, image: torch.Tensor, *, seeds: tuple[int, ...] = (0,), **how: object):  # type: ignore[no-untyped-def]
    """Volumes of an `Echo`."""
    plan = {"steps": 1, "stride": 1, "planes": ("axial",), **how}
    drawing = Drawing(seeds=seeds, **plan)  # type: ignore[arg-type]
    nothing = torch.zeros(0)
    return draw_volumes(network, [image], nothing, nothing, PATH, drawing)  # type: ignore[arg-type]


class TestDrawing:
    def test_the_conditioner_reads_each_stack_once(self) -> None:
        network = Echo(3)
        drawn(network, torch.rand(6, 5, 7), seeds=(0, 1), steps=4)
        assert network.read == 7
        assert network.denoised == 7 * 2 * 4

    @pytest.mark.parametrize("plane", list(PLANES))
    def test_stacks_of_one_draw_agree_whatever_stride_and_plane(self, plane: str) -> None:
        """One noise volume: what overlapping stacks say of a voxel is the same."""
        image = torch.rand(6, 5, 7)
        reference = drawn(Echo(3), image)
        for stride in (1, 2, 3):
            found = drawn(Echo(3), image, stride=stride, planes=(plane,))
            assert torch.allclose(found, reference, atol=1e-5)
        every = drawn(Echo(3), image, planes=tuple(PLANES))
        assert torch.allclose(every, reference, atol=1e-5)

    def test_a_seed_means_the_same_draw_in_any_company(self) -> None:
        image = torch.rand(6, 6, 6)
        both = drawn(Echo(3), image, seeds=(4, 5))
        assert torch.equal(both[1], drawn(Echo(3), image, seeds=(5,))[0])
        assert not torch.allclose(both[0], both[1])

    @pytest.mark.parametrize(
        ("steps", "every", "asked"),
        [
            (1, 1, [999]),
            (4, 1, [999, 749, 499, 249]),
            (4, 10, [990, 740, 490, 240]),
            (100, 10, list(range(990, -1, -10))),
        ],
    )
    def test_only_timesteps_of_the_training_are_asked_the_noisiest_first(
        self, steps: int, every: int, asked: list[int]
    ) -> None:
        network = Echo(3)
        drawn(network, torch.rand(3, 3, 3), steps=steps, every=every, stride=3)
        assert network.asked == asked

    def test_a_stack_thicker_than_the_volume_is_refused(self) -> None:
        with pytest.raises(ValueError, match="stacks of 7 slices are thicker than 6"):
            drawn(Echo(7), torch.rand(8, 8, 6))

    def test_every_evaluation_is_told(self) -> None:
        told: list[tuple[int, int]] = []
        shape = ArmShape(slices=3, width=32, multipliers=(1,), res_blocks=1, attention=())
        drawing = Drawing(2, (0, 1), 2, ("axial",))
        known = torch.zeros(shape.clinical)
        with torch.no_grad():
            made = draw_volumes(
                DualArm(shape).eval(), [torch.rand(4, 4, 4)], torch.zeros(0), known,
                PATH, drawing,
                lambda done, total, so_far: told.append((done, total)),
            )  # fmt: skip
        assert made.shape == (2, 4, 4, 4)
        assert told == [(i, 4) for i in range(1, 5)]
