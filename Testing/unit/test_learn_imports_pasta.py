"""Published PASTA checkpoints as bundles: numbers only, complete, all that is missing said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from pasta_case import KEYS, VECTORS, published_shapes, tiny_state, vectors
from train_case import make_store

from PETSynthLib.clinical import FIELDS, ClinicalRecord
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.generate.pasta.generator import PastaGenerator
from PETSynthLib.generate.pasta.network import ArmShape
from PETSynthLib.learn.calibrate import calibrate
from PETSynthLib.learn.evaluate.predictor import load_predictors
from PETSynthLib.learn.imports import import_model
from PETSynthLib.learn.imports.pasta import shape_of, widened
from PETSynthLib.learn.prepare.grids import PUBLISHED
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import Volume

pytestmark = [
    pytest.mark.torch,
    pytest.mark.shared,
    pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data is not here"),
]
State = dict[str, Any]


@pytest.fixture(scope="module")
def state() -> State:
    return tiny_state()


def container(state: State, **changed: Any) -> State:
    """What the release saves, around a state."""
    averaged = {f"ema_model.{k}": 2 * v for k, v in state.items()}
    ema = {"initted": torch.tensor(True), "step": torch.tensor(3), **averaged}
    body = {"step": 3, "model": state, "opt": {"state": {}}, "ema": ema, "scaler": None}
    return body | changed


@pytest.fixture
def small_grid(tmp_path: Path) -> str:
    path = tmp_path / "grid.json"
    affine = [[9, 0, 0, -67.5], [0, 9, 0, -100], [0, 0, 9, -60], [0, 0, 0, 1]]
    path.write_text(json.dumps({"shape": [16, 18, 16], "affine": affine}))
    return str(path)


def imported(body: State, folder: Path, **options: str) -> PastaGenerator:
    torch.save(body, folder / "published.pt")
    out = folder / f"bundle-{len(list(folder.iterdir()))}"
    import_model("pasta", folder / "published.pt", out, options)
    generator = load_generator(str(out), "cpu").generator
    assert isinstance(generator, PastaGenerator)
    return generator


def test_the_imported_network_gives_the_published_numbers(
    state: State, tmp_path: Path, small_grid: str
) -> None:
    """Nine clinical inputs lie among our twelve; the flags we add are without effect."""
    network = imported(container(state), tmp_path, weights="model", grid=small_grid).network
    v = vectors()
    ours = torch.zeros(2, 12)
    ours[:, :6], ours[:, 9:] = v["clinical"][:, :6], v["clinical"][:, 6:]
    ours[:, 6:9] = 5.0
    with torch.no_grad():
        pet, own = network.pet_from_mri(v["x_t"], v["timesteps"], v["mri"], ours)
    assert float((pet - v["denoiser_output"]).abs().max()) < 1e-4
    assert float((own - v["conditioner_output"]).abs().max()) < 1e-4


def test_the_averaged_weights_are_taken_unless_asked_otherwise(
    state: State, tmp_path: Path, small_grid: str
) -> None:
    name = "model.input_blocks.0.0.weight"
    averaged = imported(container(state), tmp_path, grid=small_grid).network.state_dict()[name]
    assert torch.equal(averaged, 2 * state[name])


def test_our_fields_have_the_published_order() -> None:
    assert list(FIELDS) == ["age", "sex", "education", "mmse", "adas13", "apoe4"]
    weight = torch.arange(9.0)[None]
    wide = widened("model.input_blocks.1.0.tab_embed.0.weight", weight)
    assert wide.tolist() == [[0, 1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8]]
    assert widened("model.out.0.weight", weight) is weight


def test_the_papers_architecture_is_read_off_the_published_names() -> None:
    assert KEYS.exists()
    with torch.device("meta"):
        published = {name: torch.empty(shape) for name, shape in published_shapes().items()}
    assert shape_of(Path("x.pt"), published) == ArmShape(clinical=9)


class TestWhatTheFileLeavesOut:
    def test_without_a_scale_the_card_says_that_there_is_no_suvr(
        self, state: State, tmp_path: Path, small_grid: str
    ) -> None:
        made = imported(container(state), tmp_path, grid=small_grid)
        card = (made.bundle.folder / "README.md").read_text()
        assert "**no SUVR**" in card
        assert "Clinical facts**: **not used**" in card
        assert made.bundle.uses == ()
        assert made.bundle.facts["suvr_range"] == {"fdg": [0.0, 1.0]}
        assert "no SUVR scale" in made.bundle.config["title"]

    def test_without_a_scale_nothing_is_drawn_for_a_person_calibrated_or_judged(
        self, state: State, tmp_path: Path, small_grid: str
    ) -> None:
        folder = str(imported(container(state), tmp_path, grid=small_grid).bundle.folder)
        store = make_store(tmp_path / "store", n=2)
        with pytest.raises(PETSynthError, match="are no SUVR"):
            calibrate(store, folder, tmp_path / "calibrated", device="cpu")
        with pytest.raises(PETSynthError, match="are no SUVR"):
            load_predictors([folder], "cpu")
        scaled = imported(container(state), tmp_path, grid=small_grid, scale="0:2.2").bundle
        assert scaled.suvr_known
        assert load_predictors([str(scaled.folder)], "cpu")

    def test_what_is_supplied_is_used_and_said(
        self, state: State, tmp_path: Path, small_grid: str
    ) -> None:
        scaling = tmp_path / "clinical.json"
        scaling.write_text('{"age": [73.0, 7.0], "sex": [0.45, -0.5]}')
        made = imported(
            container(state), tmp_path, grid=small_grid, scale="0:2.2", clinical=str(scaling)
        )
        card = (made.bundle.folder / "README.md").read_text()
        assert "[0, 2.2] SUVR" in card
        assert "no SUVR" not in card
        assert made.bundle.uses == ("age", "sex")
        shape = made.bundle.grid.shape

        def volume(data: np.ndarray) -> Volume:
            return Volume(data.astype(np.float32), made.bundle.grid.affine, made.bundle.grid.name)

        def drawn(record: ClinicalRecord) -> np.ndarray:
            given = GeneratorInput(
                volume(np.linspace(0, 1, np.prod(shape)).reshape(shape)),
                volume(np.ones(shape)), None, tracer("fdg"), record,
            )  # fmt: skip
            done = made.generate(given, Effort(0, 1, 0), Silent())
            return done.mean.data

        plain = drawn(ClinicalRecord(age=60))
        assert plain.shape == shape
        assert np.array_equal(plain, drawn(ClinicalRecord(age=60, mmse=12)))
        assert not np.array_equal(plain, drawn(ClinicalRecord(age=90)))

    def test_the_grid_is_the_papers_unless_another_is_named(
        self, state: State, tmp_path: Path
    ) -> None:
        assert imported(container(state), tmp_path).bundle.grid.same_as(PUBLISHED["pasta"])
        assert PUBLISHED["pasta"].shape == (96, 112, 96)


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"weights": "best"}, "no weights 'best'"),
            ({"scale": "2.2"}, "'2.2' is no range"),
            ({"scale": "3:1"}, "'3:1' is no range"),
            ({"clinical": "nowhere.json"}, "does not say how clinical facts are scaled"),
            ({"grid": "thin.json"}, "thicker than the volume: the grid has 8 axial slices"),
            ({"colour": "red"}, "no option 'colour'"),
        ],
    )
    def test_a_wrong_option_is_one_sentence(
        self, state: State, tmp_path: Path, options: dict[str, str], words: str
    ) -> None:
        thin = {"shape": [16, 18, 8], "affine": np.diag([9.0, 9.0, 9.0, 1.0]).tolist()}
        (tmp_path / "thin.json").write_text(json.dumps(thin))
        if "grid" in options:
            options = {"grid": str(tmp_path / options["grid"])}
        with pytest.raises(PETSynthError, match=words):
            imported(container(state), tmp_path, **options)

    def test_a_scaling_that_is_no_number_is_refused(self, state: State, tmp_path: Path) -> None:
        (tmp_path / "c.json").write_text('{"age": [NaN, 7.0]}')
        with pytest.raises(PETSynthError, match=r"facts are scaled \(.*no number"):
            imported(container(state), tmp_path, clinical=str(tmp_path / "c.json"))

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (
                lambda s: s.pop("encoder.out.2.bias"),
                "no whole .*: it lacks encoder.out.2.bias",
            ),
            (
                lambda s: [s.pop(k) for k in list(s) if k.startswith("encoder.")],
                "no whole checkpoint of .*: it lacks encoder",
            ),
            (
                lambda s: s.update({"model.extra": torch.ones(1)}),
                "does not hold PASTA.*: it has model.extra",
            ),
            (
                lambda s: s.update({"model.out.2.weight": torch.ones(14, 32, 3, 3)}),
                "does not hold PASTA.*: model.out.2.weight is",
            ),
            (
                lambda s: s.update({"model.out.0.bias": torch.full((32,), torch.nan)}),
                "model.out.0.bias in .* are no numbers",
            ),
            (lambda s: s.pop("model.input_blocks.0.0.weight"), "its levels are unreadable"),
            (
                lambda s: s.update({"model.input_blocks.0.0.weight": torch.ones(32, 14, 3, 3)}),
                "a stack of 14 slices has no middle",
            ),
            (
                lambda s: s.update({"model.input_blocks.1.0.out_layers.3.bias": torch.tensor(1.0)}),
                "its levels are unreadable",
            ),
            (lambda s: s.clear(), "no arms of PASTA"),
        ],
    )
    def test_half_a_checkpoint_and_another_architecture_are_named(
        self, state: State, tmp_path: Path, spoil: Callable[[State], object], words: str
    ) -> None:
        spoilt = dict(state)
        spoil(spoilt)
        with pytest.raises(PETSynthError, match=words):
            imported(container(spoilt), tmp_path, weights="model")
        assert not list(tmp_path.glob("bundle*"))

    def test_a_file_without_the_container_is_refused(self, state: State, tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="no weights named 'ema'"):
            imported({"model": state}, tmp_path)

    def test_code_is_not_run(self, state: State, tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="holds more than numbers"):
            imported(container(state, config=Trap(tmp_path / "ran")), tmp_path)
        assert not (tmp_path / "ran").exists()

    def test_a_damaged_file_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "x.pt").write_bytes(b"PK\x03\x04 half a file")
        with pytest.raises(PETSynthError, match=r"x\.pt cannot be read"):
            import_model("pasta", tmp_path / "x.pt", tmp_path / "out", {})


class Trap:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]
