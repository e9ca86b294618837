"""z of a decrease: sign, floor, limits, and a lesion among simulated normals."""

from __future__ import annotations

import numpy as np
import pytest
from project_case import LEFT_PARIETAL, constant, simulated

from PETSynthLib.project.references import REFERENCES, reference_values
from PETSynthLib.project.sampling import sample_both
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.project.zmaps import Normal, unreliable, z_decrease, z_maps


def z_of(value: float, mean: float, sd: float, reference: float = 1.0) -> float:
    return float(z_decrease(np.array([value]), reference, np.array([mean]), np.array([sd]))[0])


def test_lower_than_normal_is_positive() -> None:
    assert z_of(0.8, 1.0, 0.1) == pytest.approx(2.0)
    assert z_of(1.3, 1.0, 0.1) == pytest.approx(-3.0)


def test_the_value_is_divided_by_the_reference_first() -> None:
    assert z_of(1.6, 1.0, 0.1, reference=2.0) == pytest.approx(2.0)


def test_a_normal_sd_below_five_percent_of_the_mean_counts_as_five_percent() -> None:
    assert z_of(1.9, 2.0, 0.001) == pytest.approx(1.0)


def test_z_is_clipped_at_ten() -> None:
    assert z_of(0.0, 1.0, 0.05) == 10.0
    assert z_of(9.0, 1.0, 0.05) == -10.0


def test_without_a_normal_mean_there_is_no_z() -> None:
    assert np.isnan(z_of(1.0, 0.0, 0.1))


@pytest.mark.parametrize("reference", [0.0, -1.0, float("nan")])
def test_a_reference_that_is_not_positive_is_refused(reference: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        z_of(1.0, 1.0, 0.1, reference)


def test_arrays_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        z_decrease(np.ones(3), 1.0, np.ones(2), np.ones(3))


def test_z_within_its_own_uncertainty_is_unreliable() -> None:
    # Own uncertainty: spread 0.2 / reference 2 / normal SD 0.05 = 2.
    z = np.array([1.9, 2.1, -1.9, -2.1, np.nan])
    found = unreliable(z, np.full(5, 0.2), 2.0, np.full(5, 0.05))
    assert found.tolist() == [True, False, True, False, True]


@pytest.fixture(scope="module")
def normals() -> dict[str, Normal]:
    """Mean and SD of eight simulated people, by reference."""
    people = []
    for seed in range(8):
        volume = simulated(seed)
        samples = sample_both(volume)
        references = reference_values(volume, samples)
        people.append(
            {k: {s: samples[s].values / references[k] for s in SIDES} for k in references}
        )
    return {
        key: Normal(
            {s: np.mean([p[key][s] for p in people], axis=0) for s in SIDES},
            {s: np.std([p[key][s] for p in people], axis=0, ddof=1) for s in SIDES},
        )
        for key in REFERENCES
    }


@pytest.mark.parametrize("key", REFERENCES)
def test_thirty_percent_less_gives_z_above_four_there_and_below_two_opposite(
    normals: dict[str, Normal], key: str
) -> None:
    patient = simulated(99, LEFT_PARIETAL)
    samples = sample_both(patient)
    z = z_maps(samples, reference_values(patient, samples), normals)[key]
    left = surfaces()["L"]
    near = np.linalg.norm(left.vertices - LEFT_PARIETAL, axis=1) < 20.0
    assert z["L"][near].max() > 4.0
    assert np.linalg.norm(left.vertices[z["L"].argmax()] - LEFT_PARIETAL) < 20.0
    # Vertex n of the right is opposite vertex n of the left.
    assert z["R"][near].max() < 2.0


def test_a_constant_picture_among_constant_normals_has_z_zero() -> None:
    samples = sample_both(constant(2.0))
    ones = {s: np.ones_like(samples[s].values) for s in SIDES}
    normal = {"GLB": Normal(ones, {s: 0.1 * ones[s] for s in SIDES})}
    z = z_maps(samples, reference_values(constant(2.0), samples), normal)
    assert list(z) == ["GLB"]
    assert all(np.abs(z["GLB"][s]).max() < 1e-6 for s in SIDES)
