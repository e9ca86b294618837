"""The oracle's file, and its explained variance worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.oracle import (
    INFORMATION,
    Belief,
    Oracle,
    check_oracles,
    explained_variance,
    image_error,
    read_oracle,
    write_oracle,
)
from PETSynthLib.learn.regions import region_index, region_keys

R = len(region_keys())


def belief(mean: float, sd: float, ess: float = 1000.0) -> Belief:
    full = [np.full((1, R), v, np.float32) for v in (mean, sd, mean - sd, mean, mean + sd)]
    return Belief(*full, draws=np.full((200, 1, R), mean, np.float32), ess=ess)


def oracle(truth: float, means: tuple[float, ...], sds: tuple[float, ...]) -> Oracle:
    beliefs = {k: belief(m, s) for k, m, s in zip(INFORMATION, means, sds, strict=True)}
    full = np.full((1, R), truth, np.float32)
    return Oracle(
        ("fdg",), region_keys(), full, full, np.ones((R, 3), np.float32),
        np.ones((5, 3), np.float32), beliefs,
    )  # fmt: skip


class TestFile:
    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        written = oracle(1.3, (1.0, 1.1, 1.2, 1.3), (0.2, 0.1, 0.1, 0.05))
        write_oracle(tmp_path / "a.npz", written)
        read = read_oracle(tmp_path / "a.npz")
        assert (read.tracers, read.regions) == (("fdg",), region_keys())
        assert read.truth[0, 0] == pytest.approx(1.3)
        assert read.beliefs["both"].sd[0, 5] == pytest.approx(0.05)
        assert read.beliefs["clinic"].draws.shape == (200, 1, R)
        assert read.beliefs["mri"].ess == 1000.0

    def test_equal_oracles_give_equal_bytes(self, tmp_path: Path) -> None:
        one = oracle(1.3, (1.0, 1.1, 1.2, 1.3), (0.2, 0.1, 0.1, 0.05))
        for name in ("a.npz", "b.npz"):
            write_oracle(tmp_path / name, one)
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()

    def test_a_damaged_file_is_one_sentence(self, tmp_path: Path) -> None:
        file = tmp_path / "a.npz"
        write_oracle(file, oracle(1.3, (1.0,) * 4, (0.1,) * 4))
        file.write_bytes(file.read_bytes()[:3000])
        with pytest.raises(PETSynthError) as problem:
            read_oracle(file)
        assert problem.value.code is ErrorCode.BAD_DATA
        with pytest.raises(PETSynthError):
            read_oracle(tmp_path / "missing.npz")


class TestChecks:
    def test_explained_variance_is_one_minus_the_ratio_of_posterior_variances(self) -> None:
        # Variances: base 0.04 and 0.04; both 0.01 and 0.03 -> 1 - 0.02 / 0.04.
        people = [
            oracle(1.3, (1.2,) * 4, (0.2, 0.2, 0.2, 0.1)),
            oracle(1.1, (1.2,) * 4, (0.2, 0.2, 0.2, 0.03**0.5)),
        ]
        explained = explained_variance(people)["fdg"]
        assert explained["both"] == pytest.approx(0.5)
        assert explained["clinic"] == pytest.approx(0.0)

    def test_errors_coverage_and_z_are_measured_at_the_target(self) -> None:
        # Errors of base: 0.3 and 0.1 (sd 0.2); of both: 0.1 and 0 -> 1 - 0.01 / 0.10.
        people = [
            oracle(1.5, (1.2, 1.2, 1.2, 1.4), (0.2,) * 4),
            oracle(1.1, (1.2, 1.2, 1.2, 1.1), (0.2,) * 4),
        ]
        rows = {row.information: row for row in check_oracles(people)}
        assert rows["both"].observed == pytest.approx(0.9, abs=1e-5)
        # 1.5 lies outside 1.2 +- 0.2, 1.1 inside.
        assert rows["base"].coverage == 0.5
        assert rows["base"].z_sd == pytest.approx(((1.5**2 + 0.5**2) / 2) ** 0.5, rel=1e-5)

    def test_it_looks_at_the_target_region_and_at_no_other(self) -> None:
        one = oracle(1.0, (1.02,) * 4, (0.1,) * 4)
        one.truth[:] = 9.0
        one.truth[0, region_index("fdg_ad_metaroi")] = 1.0
        assert check_oracles([one])[0].coverage == 1.0


def test_the_error_of_the_images_is_taken_over_all_regions() -> None:
    one = oracle(2.0, (1.0,) * 4, (0.1,) * 4)
    measured = one.truth.copy()
    measured[0, : R // 2] *= 1.02
    off = replace(one, measured=measured)
    sd, largest = image_error([off])
    share = (R // 2) / R
    assert largest == pytest.approx(0.02, rel=1e-4)
    assert sd == pytest.approx(0.02 * (share * (1 - share)) ** 0.5, rel=1e-4)
