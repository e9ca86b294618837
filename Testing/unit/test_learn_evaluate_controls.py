"""The controls: fitted on the training split, each worth what it knows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import store_case
from store_case import make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.evaluate.controls import (
    AGE_SEX,
    CLINIC,
    DENSITY,
    INFORMATION_OF,
    PICTURES,
    POPULATION,
    VOLUMES,
    VOLUMES_CLINIC,
    WORDS,
    Controls,
    People,
    derangement,
    fit_controls,
    measure_densities,
    some_of,
    with_enough,
)
from PETSynthLib.learn.evaluate.results import healthy_people, regional_table, true_image
from PETSynthLib.learn.evaluate.voxel_controls import LOWEST_SD, fit_voxel_controls
from PETSynthLib.learn.evaluate.zmap import zmap_metrics
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store

TARGET = "fdg_ad_metaroi"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=180, tracers=("fdg",), noise=0.01)


@pytest.fixture(scope="module")
def controls(store: Store) -> Controls:
    train, test = store.split("train"), store.split("test")
    measured = regional_table(store, test, "fdg")
    taught = People(store, train, measure_densities(store, some_of(train)))
    judged = People(store, test, measure_densities(store, test))
    return fit_controls("fdg", taught, judged, measured, TARGET)


@pytest.fixture(scope="module")
def error(store: Store, controls: Controls) -> dict[str, float]:
    """Root mean squared error of the target region."""
    truth = regional_table(store, store.split("test"), "fdg")[:, region_index(TARGET)]
    found = {c.model: c.mean[:, region_index(TARGET)] - truth for c in controls.regional}
    return {label: float(np.sqrt((values**2).mean())) for label, values in found.items()}


def test_every_control_is_there_with_its_information(controls: Controls) -> None:
    found = {values.model: values.information for values in controls.regional}
    assert found == INFORMATION_OF
    assert set(WORDS) == set(INFORMATION_OF)


def test_what_knows_more_errs_less(error: dict[str, float]) -> None:
    assert error[AGE_SEX] < error[POPULATION]
    assert error[CLINIC] < error[AGE_SEX]
    assert error[VOLUMES] < error[AGE_SEX]
    assert error[VOLUMES_CLINIC] < error[VOLUMES]


def test_the_strongest_rival_comes_near_the_best_that_is_possible(
    store: Store, error: dict[str, float]
) -> None:
    rows = [s.row for s in store.split("test")]
    sd = [store_case.make_person(0, row).posterior("both")[1] for row in rows]
    best = store_case.SLOPE_SUVR * float(np.sqrt(np.mean(np.square(sd))))
    assert error[VOLUMES_CLINIC] < 1.3 * best


def test_the_population_mean_is_that_of_the_training_people(
    store: Store, controls: Controls
) -> None:
    train = store.split("train")
    expected = regional_table(store, train, "fdg").mean(0)[region_index(TARGET)]
    found = controls.regional[0].mean[:, region_index(TARGET)]
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    picture = np.mean([true_image(store, s, "fdg") for s in train], axis=0)
    np.testing.assert_allclose(controls.picture(POPULATION, 0), picture, atol=1e-4)


def test_a_stated_spread_is_the_error_that_is_made(
    error: dict[str, float], controls: Controls
) -> None:
    for values in controls.regional:
        assert values.sd is not None
        stated = float(values.sd[:, region_index(TARGET)].mean())
        assert stated == pytest.approx(error[values.model], rel=0.45)


@pytest.mark.parametrize("label", PICTURES)
def test_a_picture_shows_the_regional_value(store: Store, controls: Controls, label: str) -> None:
    # The label map is everybody's, so the picture's mean and the fitted number must agree.
    subject = controls.subjects[0]
    values = next(c for c in controls.regional if c.model == label)
    shown = regional_means(store.regions(subject.row), controls.picture(label, 0))
    tolerance = 0.06 if label == DENSITY else 0.02
    index = region_index(TARGET)
    assert shown[index] == pytest.approx(values.mean[0, index], abs=tolerance)


def test_the_norm_is_made_of_healthy_people(store: Store, controls: Controls) -> None:
    healthy = [s for s in store.split("train") if s.diagnosis == "none"]
    norm = controls.voxels.norm
    stack = np.stack([true_image(store, s, "fdg") for s in healthy])
    assert norm.people == len(healthy)
    np.testing.assert_allclose(norm.mean, stack.mean(0), atol=1e-4)
    np.testing.assert_allclose(norm.sd, np.maximum(stack.std(0, ddof=1), LOWEST_SD), atol=1e-3)


class TestDerangement:
    def test_nobody_keeps_his_own_and_everybody_gives_once(self, store: Store) -> None:
        people = store.split("test")
        donors = derangement(people, seed=3)
        assert sorted(d.row for d in donors) == sorted(s.row for s in people)
        assert all(d.anatomy != s.anatomy for d, s in zip(donors, people, strict=True))

    def test_two_scans_of_one_brain_are_not_swapped(self, store: Store) -> None:
        one, two, three = store.split("test")[:3]
        people = (one, replace(two, anatomy=one.anatomy), three)
        assert all(
            d.anatomy != s.anatomy
            for seed in range(5)
            for d, s in zip(derangement(people, seed), people, strict=True)
        )

    def test_a_single_anatomy_has_nobody_to_swap_with(self, store: Store) -> None:
        assert derangement(store.split("test")[:1], seed=0) == []


def test_people_of_unknown_diagnosis_are_never_taken_for_healthy(store: Store) -> None:
    one, two, three = store.split("train")[:3]
    ill, well = replace(one, diagnosis="AD"), replace(two, diagnosis="CN")
    unknown = replace(three, diagnosis="")
    assert healthy_people((ill, well, unknown)) == (well,)
    assert healthy_people((unknown, ill)) == ()


def test_without_healthy_people_there_is_no_norm_and_no_voxel_is_abnormal(store: Store) -> None:
    train = tuple(replace(s, diagnosis="") for s in store.split("train")[:4])
    fitted = fit_voxel_controls(store, train, "fdg", {}, {}, {})
    assert not fitted.norm.known
    assert fitted.norm.people == 0
    assert not fitted.norm.mean.any()
    truth = true_image(store, train[0], "fdg")
    found = zmap_metrics(truth, truth, fitted.norm, store.brain(0), -1.0)
    assert all(math.isnan(value) for value in found.values())


def test_only_new_people_are_measured_again(store: Store) -> None:
    one, two = store.split("train")[:2]
    first = measure_densities(store, (one,))
    both = measure_densities(store, (one, two), first)
    assert set(both.maps) == {one.row, two.row}
    assert both.maps[one.row] is first.maps[one.row]
    assert both.regional[one.row] is first.regional[one.row]


def test_a_tracer_that_one_training_person_has_is_named(store: Store) -> None:
    one, two, three = (replace(s, tracers=("fdg",)) for s in store.split("train")[:3])
    people = (one, two, replace(three, tracers=("fdg", "pib")))
    assert with_enough(people, "fdg") == people
    with pytest.raises(PETSynthError, match="Only 1 of 3 training subjects have a pib PET"):
        with_enough(people, "pib")
