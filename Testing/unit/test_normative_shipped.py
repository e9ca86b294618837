"""The shipped DEMO databases: whole, calibrated, and of the model that is shipped beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from PETSynthLib.assets import asset
from PETSynthLib.generate.bundle import find_bundle, verify_bundle
from PETSynthLib.normative.check import own_sentences
from PETSynthLib.normative.database import Database, read_database
from PETSynthLib.normative.find import find_database, list_databases

NAMES = [f"ndb-fdg_kind-{kind}-demo_v1.0.0" for kind in ("acquired", "synthetic")]


@pytest.fixture(scope="module", params=NAMES)
def shipped(request: pytest.FixtureRequest) -> Database:
    """Each of them, by its name."""
    return read_database(find_database(Path(request.param)))


def test_both_are_listed() -> None:
    root = Path(str(asset("databases")))
    assert [folder.name for folder in list_databases() if folder.parent == root] == NAMES


def test_they_are_for_simulated_people_and_the_sample_alone(shipped: Database) -> None:
    assert shipped.meta.demo
    assert shipped.meta.title.startswith("DEMO (simulated people), 60 normals")


def test_the_normals_against_each_other_are_as_they_should_be(shipped: Database) -> None:
    sentences = own_sentences(shipped)
    assert len(sentences) == 5  # regions, and the surface by four references
    assert all(sentence.startswith("[green]") for sentence in sentences), sentences


def test_the_synthetic_one_belongs_to_the_shipped_model() -> None:
    # A new model needs a new one: `python Testing/benchmark/demo_databases.py`.
    database = read_database(find_database(Path(NAMES[1])))
    assert database.meta.bundle_sha256 == verify_bundle(find_bundle("flow")).sha256
