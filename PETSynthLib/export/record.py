"""What a synthesis was made from and how: the facts that report and sidecar tell."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib import metadata
from platform import platform, python_version
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..checks import Finding
from ..clinical import FIELDS
from ..request import SynthesisRequest
from ..tracers import Tracer, tracer
from .policy import Release, release

if TYPE_CHECKING:
    from ..generate import Bundle, Effort, Generated
    from ..preprocess import Prepared
    from ..restore import Restored

USED = "used"
WITHHELD = "withheld"
NOT_READ = "not read by this model"
NOT_GIVEN = "not given"

_PACKAGES = (
    "numpy",
    "scipy",
    "SimpleITK",
    "nibabel",
    "Pillow",
    "torch",
    "safetensors",
    "deepbet",
    "picsl-greedy",
)


@dataclass(frozen=True)
class Source:
    """An input file: its role (``"T1"``), its name without folders, the SHA-256 of its bytes."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True)
class ModelCard:
    """The model's facts that travel with every output.

    Attributes
    ----------
    bundle_sha256
        Digest that names the bundle with all its files.
    weights_sha256
        Digest of its weights, or None for a method without any.
    trained_on
        The evidence behind it (a key of the release policy).
    """

    name: str
    version: str
    title: str
    licence: str
    trained_on: str
    bundle_sha256: str
    weights_sha256: str | None


@dataclass(frozen=True)
class Fact:
    """One thing beside the T1 that may shape a picture, and what became of it.

    Attributes
    ----------
    name, label
        Key and words.
    value
        In words, for the report only; the sidecar names fields and holds no person's data.
    state
        `USED`, `WITHHELD`, `NOT_READ` or `NOT_GIVEN`.
    """

    name: str
    label: str
    value: str
    state: str


@dataclass(frozen=True, eq=False)
class Record:
    """Everything report and sidecar tell about how a picture came to be.

    Attributes
    ----------
    tracer, model, sources
        What was made, by whom, from what.
    request_sha256
        `request_digest`.
    facts
        Inputs beside the T1 in the order of the network's inputs.
    preset, steps, seeds
        Effort; one seed a sample.
    preprocessing
        Steps with version, parameters, seconds and outcome.
    generation
        The generator's own account: device, precision, seconds.
    reference_factor
        What the generator's numbers were multiplied by.
    findings
        Checks of input and steps.
    distances
        Region -> healthy-to-AD distance in SUVR as far as the bundle states it.
    regions_source
        Where the table's regions come from, in words (`quantify.native_regions`).
    created
        UTC time in ISO 8601, or empty where bytes must repeat.
    resolution
        `effective_resolution`; empty where it is not known.
    """

    tracer: Tracer
    model: ModelCard
    sources: tuple[Source, ...]
    request_sha256: str
    facts: tuple[Fact, ...]
    preset: str
    steps: int
    seeds: tuple[int, ...]
    preprocessing: list[dict[str, Any]]
    generation: dict[str, Any]
    reference_factor: float
    findings: list[Finding]
    distances: dict[str, float]
    regions_source: str
    created: str = ""
    resolution: dict[str, Any] = field(default_factory=dict)

    @property
    def cognition(self) -> tuple[str, ...]:
        """Cognitive fields that shaped the picture."""
        return tuple(
            fact.name
            for fact in self.facts
            if fact.state == USED and fact.name in FIELDS and FIELDS[fact.name].cognition
        )

    @property
    def release(self) -> Release:
        """What may be shown of it."""
        return release(self.model.trained_on, self.tracer.exploratory, self.cognition)

    @property
    def overridden(self) -> list[str]:
        """Names of the checks that were red and that the user overrode."""
        return [finding.name for finding in self.findings if finding.overridden]

    def named(self, state: str) -> list[str]:
        """Names of the facts in ``state``."""
        return [fact.name for fact in self.facts if fact.state == state]


def record_of(
    request: SynthesisRequest,
    sources: tuple[Source, ...],
    bundle: Bundle,
    effort: Effort,
    prepared: Prepared,
    generated: Generated,
    restored: Restored,
    regions_source: str,
    created: str = "",
) -> Record:
    """Gather the record of a finished synthesis (see `Record`)."""
    key = request.tracer
    return Record(
        tracer=tracer(key),
        model=_model_card(bundle),
        sources=sources,
        request_sha256=request_digest(request, sources),
        facts=_facts(request, bundle.uses),
        preset=request.preset.value,
        steps=effort.steps,
        seeds=tuple(effort.seed + k for k in range(effort.samples)),
        preprocessing=prepared.steps,
        generation=generated.details,
        reference_factor=restored.reference_factor,
        findings=[*prepared.findings, *restored.findings],
        distances=bundle.config.get("healthy_to_ad", {}).get(key, {}),
        regions_source=regions_source,
        created=created,
        resolution=effective_resolution(generated.mean.grid.spacing, generated.details),
    )


def effective_resolution(
    spacing_mm: tuple[float, float, float], details: dict[str, Any]
) -> dict[str, Any]:
    """How fine a picture can be, for readers: ``fwhm_mm``, and what that rests on (``of``).

    A generator that blurs by a known point spread tells it (``fwhm_mm`` in its details): that is
    the ``model``'s. Any other draws nothing finer than two voxels of its ``grid``: at best that.
    """
    if "fwhm_mm" in details:
        return {"fwhm_mm": float(details["fwhm_mm"]), "of": "model"}
    return {"fwhm_mm": round(2.0 * max(spacing_mm), 1), "of": "grid"}


def request_digest(request: SynthesisRequest, sources: tuple[Source, ...]) -> str:
    """SHA-256 that names what was asked for, wherever the files lay.

    The request's JSON form with every input path replaced by the digest of the file's bytes and
    without the output folder, keys sorted: equal requests on equal images have equal digests.
    """
    body = request.as_dict()
    for name in ("t1", "flair", "mask", "output"):
        del body[name]
    body["sources"] = sorted([source.role, source.sha256] for source in sources)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def software_versions() -> dict[str, str]:
    """Versions of what took part: PETSynth, Python, platform and the installed packages."""
    found = {"PETSynth": __version__, "Python": python_version(), "Platform": platform()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _model_card(bundle: Bundle) -> ModelCard:
    weights = bundle.weights
    return ModelCard(
        name=bundle.name,
        version=bundle.version,
        title=str(bundle.config["title"]),
        licence=str(bundle.config["licence"]),
        trained_on=bundle.trained_on,
        bundle_sha256=bundle.sha256,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest()
        if weights.is_file()
        else None,
    )


def _facts(request: SynthesisRequest, uses: tuple[str, ...]) -> tuple[Fact, ...]:
    """What was given beside the T1, and whether the model saw it."""
    allowed = request.clinical_for_picture.known()
    rows = [
        ("flair", "T2-FLAIR", "given" if request.flair else "", True),
        *(
            (name, field.label, _in_words(name, request), name in allowed)
            for name, field in FIELDS.items()
        ),
        ("pet_scanner", "PET scanner imitated", request.pet_scanner or "", True),
    ]
    facts = []
    for name, label, value, may in rows:
        if not value:
            state = NOT_GIVEN
        elif name not in uses:
            state = NOT_READ
        else:
            state = USED if may else WITHHELD
        facts.append(Fact(name, label, value, state))
    return tuple(facts)


def _in_words(name: str, request: SynthesisRequest) -> str:
    """A clinical value for people, or an empty string when it is unknown."""
    value = getattr(request.clinical, name)
    if value is None:
        return ""
    if name == "sex":
        return {"F": "female", "M": "male"}[value]
    return f"{value:g} {FIELDS[name].unit}"
