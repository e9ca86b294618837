"""``petsynth evaluate`` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

for name in ("matplotlib", "sklearn", "yaml"):
    pytest.importorskip(name)

from store_case import make_store
from typer.testing import CliRunner

from PETSynthLib.cli import main
from PETSynthLib.cli.app import app


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(
        tmp_path_factory.mktemp("s") / "store", n=12, shape=(28, 32, 28), tracers=("fdg",)
    ).folder


def test_a_shipped_model_is_judged_and_the_files_are_named(store: Path, tmp_path: Path) -> None:
    words = ["evaluate", "--data", str(store), "--model", "atlas", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--checks", "clusters"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "report.html").is_file()
    assert "claims:" in done.stdout
    assert "FAILS: atlas, FDG" in done.stdout


@pytest.mark.parametrize(
    ("data", "model", "sentence"),
    [
        ("nowhere", "atlas", "is not a store"),
        ("store", "nothing", "There is no model 'nothing'."),
    ],
)
def test_what_is_missing_is_one_sentence_and_status_two(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: str,
    model: str,
    sentence: str,
) -> None:
    folder = store if data == "store" else tmp_path / data
    words = ["evaluate", "--data", str(folder), "--model", model, "-o", str(tmp_path / "out")]
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
