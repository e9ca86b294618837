"""Leakage: has somebody who is judged been seen before, under the same or another name?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...checks import Finding, Verdict
from ...generate.bundle import Bundle
from ...volume import Grid
from ..acquaintance import Doubt, faces, meeting
from ..fingerprint import fingerprint
from ..store import Store, Subject

BLOCK_MM = 5.0
"""Images are compared in blocks of about this size: alignment errors are smaller."""
LOCAL_MM = 8.0
"""Brightness is taken relative to a neighbourhood of this standard deviation: what is left is
folding, not contrast, bias field or scanner."""
SAME_BRAIN_R = 0.5
"""Correlation of two images' folding, the mean image taken off, from which they show one brain.

On 40 simulated brains rendered twice with random contrast and bias field, at 2 and 3 mm voxels:
different brains at most 0.25 and 0.34 (0.38 among 160 at 3 mm); the same brain in the median 0.69
and 0.77, 0.58 and 0.62 after a shift of 1 mm (standard deviation) along each axis, so that 75 to
97 % of them are found."""
EMPTY = 0.05
"""Share of the brightest block below which a block holds no brain."""
NAMED = 5
"""At most so many people are named in a sentence."""

Pair = tuple[Subject, Subject]


def leakage(store: Store, judged: Sequence[Subject], bundle: Bundle) -> list[Finding]:
    """Every way in which the judged people may have been seen before.

    Parameters
    ----------
    store
        All its splits are compared with each other.
    judged
        The people on whom the model is judged.
    bundle
        The model.
    """
    return [_shared(store), _identical(store), _alike(store), _known(store, judged, bundle)]


def shared_anatomies(subjects: Sequence[Subject]) -> list[str]:
    """Anatomies that lie in more than one split."""
    splits: dict[str, set[str]] = {}
    for subject in subjects:
        splits.setdefault(subject.anatomy, set()).add(subject.split)
    return [anatomy for anatomy, found in splits.items() if len(found) > 1]


def identical_images(store: Store) -> dict[str, list[Pair]]:
    """``"t1"`` or tracer -> pairs of different anatomies whose images are equal to the bit."""
    first: dict[tuple[str, str], Subject] = {}
    pairs: dict[str, list[Pair]] = {}
    for subject in store.subjects:
        for kind, image in _images(store, subject):
            other = first.setdefault((kind, fingerprint(image)), subject)
            if other.anatomy != subject.anatomy:
                pairs.setdefault(kind, []).append((other, subject))
    return pairs


def _images(store: Store, subject: Subject) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield "t1", store.t1(subject.row)
    for tracer in subject.tracers:
        yield tracer, store.pet(subject.row, tracer)


def similar_brains(store: Store) -> list[tuple[Subject, Subject, float]]:
    """Pairs of different anatomies whose T1s seem to show one brain, and their correlation."""
    spacing = float(np.mean(store.grid.spacing))
    people = np.stack([folding(store.t1(s.row), spacing) for s in store.subjects])
    own = people - people.mean(axis=0)
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-6)
    correlation = own @ own.T
    rows, columns = np.nonzero(np.triu(correlation, 1) >= SAME_BRAIN_R)
    return [
        (a, b, float(correlation[i, j]))
        for i, j in zip(rows, columns, strict=True)
        if (a := store.subjects[i]).anatomy != (b := store.subjects[j]).anatomy
    ]


def folding(t1: NDArray[np.float32], spacing: float) -> NDArray[np.float32]:
    """What sets a brain's T1 (I, J, K; 0 outside) apart from its own surroundings, flat.

    Parameters
    ----------
    spacing
        Edge of a voxel in mm.

    Returns
    -------
    Block means over their neighbourhood's mean, less 1; mean 0 and spread 1.
    """
    step = max(1, round(BLOCK_MM / spacing))
    blocks = block_means(t1, step)
    brain = (blocks > EMPTY * blocks.max()).astype(np.float32)
    sigma = LOCAL_MM / (step * spacing)
    around = ndimage.gaussian_filter(blocks, sigma) / np.maximum(
        ndimage.gaussian_filter(brain, sigma), EMPTY
    )
    ratio = np.where(brain > 0, blocks / np.maximum(around, 1e-6) - 1, 0).ravel()
    # Blocks at the brain's edge are hardly filled: their ratio says nothing.
    centred = np.clip(ratio, -1, 1) - np.clip(ratio, -1, 1).mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), dtype=np.float32)


def block_means(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means over blocks of ``step`` voxels along each axis; an unfilled block is left out."""
    i, j, k = (n // step for n in image.shape)
    cut = image[: i * step, : j * step, : k * step]
    means = cut.reshape(i, step, j, step, k, step).mean(axis=(1, 3, 5))
    return np.asarray(means, dtype=np.float32)


def _shared(store: Store) -> Finding:
    shared = shared_anatomies(store.subjects)
    sentence = "No anatomy lies in two splits."
    if shared:
        sentence = (
            f"{_count(len(shared), 'anatomy lies', 'anatomies lie')} in more than one split "
            f"({_named(shared)}): what was learnt there is tested on itself."
        )
    return _finding("leakage.anatomy", len(shared), sentence)


def _identical(store: Store) -> Finding:
    pairs = identical_images(store)
    found = [(kind, pair) for kind, of_kind in pairs.items() for pair in of_kind]
    sentence = "No two people have the same image."
    if found:
        names = [f"{a.subject} = {b.subject} ({kind})" for kind, (a, b) in found]
        sentence = (
            f"{_count(len(found), 'image belongs', 'images belong')} to two people of different "
            f"names ({_named(names)})."
        )
    return _finding("leakage.identical", len(found), sentence)


def _alike(store: Store) -> Finding:
    pairs = similar_brains(store)
    across = [p for p in pairs if p[0].split != p[1].split]
    sentence = "No two people's MRIs seem to show the same brain."
    if pairs:
        names = [f"{a.subject} and {b.subject}, r {r:.3f}" for a, b, r in (across or pairs)]
        sentence = (
            f"{_count(len(pairs), 'pair of people seems', 'pairs of people seem')} to be one "
            f"person under two names, {len(across)} of them across splits ({_named(names)})."
        )
    verdict = Verdict.RED if across else Verdict.AMBER if pairs else Verdict.GREEN
    limit = f"correlation of the folding below {SAME_BRAIN_R}"
    return Finding("leakage.similar", float(len(pairs)), limit, verdict, sentence)


def _known(store: Store, judged: Sequence[Subject], bundle: Bundle) -> Finding:
    """Whether the model was trained or calibrated on judged people, as far as it says."""
    name, limit = "leakage.model", "none of the judged T1s among the model's own"
    found = meeting(faces(store, judged), store.grid, bundle)
    if met := found.met:
        sentence = (
            f"{_count(len(met), 'judged person is', 'judged people are')} among those "
            f"{bundle.name} was trained or calibrated on ({_named(met)})."
        )
        return Finding(name, float(len(met)), limit, Verdict.RED, sentence)
    if found.doubt is Doubt.GRID:
        sentence = (
            f"{bundle.name} learnt on another grid ({_lattice(bundle.grid)}; these people are on "
            f"{_lattice(store.grid)}): the same person's T1 is another image there, so nobody can "
            "tell here whether it has seen these people."
        )
        return Finding(name, "not comparable", limit, Verdict.AMBER, sentence)
    if found.doubt is not None:
        sentence = (
            f"The model {bundle.name} {found.doubt}: nobody can tell here whether it has seen "
            "these people."
        )
        return Finding(name, "unknown", limit, Verdict.AMBER, sentence)
    sentence = (
        f"No T1 is among the {found.stated} that {bundle.name} was trained and calibrated on; one "
        "that was prepared in another way would not be recognised."
    )
    return Finding(name, 0.0, limit, Verdict.GREEN, sentence)


def _lattice(grid: Grid) -> str:
    shape = " x ".join(str(n) for n in grid.shape)
    return f"{shape} voxels of {grid.spacing[0]:.3g} mm"


def _finding(name: str, count: int, sentence: str) -> Finding:
    verdict = Verdict.RED if count else Verdict.GREEN
    return Finding(name, float(count), "none", verdict, sentence)


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(names[:NAMED]) + more
