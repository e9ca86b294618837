"""PASTA's dual arm against the published network's own numbers, names and shapes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pasta_case import KEYS, VECTORS, published_shapes, tiny_network, tiny_shape, vectors

from PETSynthLib.generate.pasta.blocks import HeadAttention, ResidualBlock
from PETSynthLib.generate.pasta.network import ArmShape, DualArm

pytestmark = pytest.mark.torch
needs_shared = [
    pytest.mark.shared,
    pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data is not here"),
]
SMALL = ArmShape(
    slices=3, beside=2, width=32, multipliers=(1, 1), res_blocks=1, attention=(), clinical=4
)


def shared(test):  # type: ignore[no-untyped-def]
    """Marks of a test that needs the parity vectors."""
    for mark in needs_shared:
        test = mark(test)
    return test


def woken(network: torch.nn.Module) -> torch.nn.Module:
    """Fill the layers that start at zero, so that every path shows."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, 0, 0.05)
    for block in network.modules():
        if isinstance(block, ResidualBlock) and block.mix is not None:
            torch.nn.init.normal_(block.mix.weight, 0, 0.2)
    return network.eval()


@shared
class TestPublished:
    def test_both_outputs_are_the_published_ones(self) -> None:
        v, network = vectors(), tiny_network()
        with torch.no_grad():
            pet, own = network.pet_from_mri(v["x_t"], v["timesteps"], v["mri"], v["clinical"])
        assert float((pet - v["denoiser_output"]).abs().max()) < 1e-4
        assert float((own - v["conditioner_output"]).abs().max()) < 1e-4

    def test_so_are_those_of_the_exchanged_roles(self) -> None:
        v, network = vectors(), tiny_network()
        with torch.no_grad():
            mri, own = network.mri_from_pet(v["x_t"], v["timesteps"], v["mri"])
        assert float((mri - v["exchanged_denoiser_output"]).abs().max()) < 1e-4
        assert float((own - v["exchanged_conditioner_output"]).abs().max()) < 1e-4

    def test_the_papers_network_has_the_published_names_and_shapes(self) -> None:
        with torch.device("meta"):
            network = DualArm(ArmShape(clinical=9))
        assert KEYS.exists()
        assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == published_shapes()
        assert sum(p.numel() for p in network.model.parameters()) == 44_547_855
        assert sum(p.numel() for p in network.parameters()) == 2 * 44_547_855

    def test_38_blocks_of_the_papers_denoiser_take_a_condition(self) -> None:
        with torch.device("meta"):
            arm = DualArm(ArmShape()).model
        places = [place for place, _ in arm.conditioned()]
        down = len(arm.input_blocks)
        assert sum(p < down for p in places) == 16
        assert sum(p == down for p in places) == 2
        assert sum(p > down for p in places) == 20


class TestArms:
    def test_extra_channels_enter_the_mri_arm_alone(self) -> None:
        network = DualArm(SMALL)
        assert network.encoder.input_blocks[0][0].weight.shape[1] == 5
        assert network.model.input_blocks[0][0].weight.shape[1] == 3
        pet, own = network.pet_from_mri(
            torch.rand(1, 3, 8, 8), torch.tensor([5]), torch.rand(1, 5, 8, 8), torch.rand(1, 4)
        )
        assert pet.shape == own.shape == (1, 3, 8, 8)

    def test_the_clinic_does_not_reach_the_conditioner_nor_the_mri(self) -> None:
        network = woken(DualArm(SMALL))
        x, t, mri = torch.rand(1, 3, 8, 8), torch.tensor([5]), torch.rand(1, 5, 8, 8)
        first, own = network.pet_from_mri(x, t, mri, torch.zeros(1, 4))
        second, again = network.pet_from_mri(x, t, mri, torch.ones(1, 4))
        assert torch.equal(own, again)
        assert not torch.allclose(first, second)
        arm = network.encoder
        assert all(p.grad is None for p in arm.parameters())
        network.mri_from_pet(mri, t, x)[0].sum().backward()
        clinical = [p.grad for n, p in arm.named_parameters() if "tab_embed" in n]
        assert all(g is None for g in clinical)

    @pytest.mark.parametrize("left_out", ["time", "map", "clinical"])
    @pytest.mark.parametrize("fusion", ["adaptive", "concatenation"])
    def test_a_condition_that_is_left_out_changes_nothing(self, left_out: str, fusion: str) -> None:
        conditions = tuple(c for c in ("time", "map", "clinical") if c != left_out)
        shape = ArmShape(
            slices=1, width=32, multipliers=(1,), res_blocks=1, attention=(), clinical=2,
            conditions=conditions, fusion=fusion,  # type: ignore[arg-type]
        )  # fmt: skip
        network = woken(DualArm(shape))
        inputs = {"time": torch.tensor([5]), "map": torch.rand(1, 1, 4, 4)}
        inputs["clinical"] = torch.zeros(1, 2)
        x = torch.rand(1, 1, 4, 4)

        def drawn(**changed: torch.Tensor) -> torch.Tensor:
            given = inputs | changed
            return network.pet_from_mri(x, given["time"], given["map"], given["clinical"])[0]

        others = {
            "time": torch.tensor([900]),
            "map": torch.rand(1, 1, 4, 4),
            "clinical": torch.ones(1, 2),
        }
        for name, value in others.items():
            same = torch.allclose(drawn(), drawn(**{name: value}), atol=1e-6)
            assert same == (name == left_out), name

    def test_concatenation_starts_by_ignoring_what_is_beside(self) -> None:
        block = ResidualBlock(32, 32, 8, 2, fusion="concatenation")
        torch.nn.init.normal_(block.out_layers[3].weight)
        x, map_, time = torch.rand(1, 32, 4, 4), torch.rand(1, 32, 4, 4), torch.rand(1, 8)
        given = block.given(map_, torch.ones(1, 2))
        assert given is not None
        assert given.shape == (1, 64, 4, 4)
        assert torch.allclose(block(x, time, given), block(x, time, None), atol=1e-5)


class TestAdaptiveModule:
    def test_it_is_time_then_map_then_clinic_worked_out_by_hand(self) -> None:
        torch.manual_seed(0)
        block = ResidualBlock(32, 32, 8, 2)
        torch.nn.init.normal_(block.out_layers[3].weight, 0, 0.1)
        x, map_ = torch.rand(1, 32, 4, 4), torch.rand(1, 32, 4, 4)
        time, clinic = torch.rand(1, 8), torch.rand(1, 2)
        h = block.out_layers[0](block.in_layers(x))
        scale, shift = block.emb_layers(time)[0].chunk(2)
        h = h * (1 + scale[:, None, None]) + shift[:, None, None]
        h = h * (1 + map_)
        h = h * (1 + block.tab_embed(clinic)[0][:, None, None])
        expected = x + block.out_layers[3](torch.nn.functional.silu(h))
        found = block(x, time, block.given(map_, clinic))
        assert torch.allclose(found, expected, atol=1e-5)

    def test_an_untrained_block_is_the_identity(self) -> None:
        block, x = ResidualBlock(32, 32, 8, 2), torch.rand(1, 32, 4, 4)
        assert torch.equal(block(x), x)
        assert torch.equal(HeadAttention(32, 4)(x), x)


@shared
def test_what_the_clinic_says_has_the_declared_length() -> None:
    assert tiny_shape().clinical == 9
