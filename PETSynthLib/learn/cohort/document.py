"""The tables of ``Resources/docs/simulator.md``.

``python -m PETSynthLib.learn.cohort.document`` prints them; a test holds the document to them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...assets import region_names
from .parameters import CONFIGURATIONS, SITES, tabulate
from .uptake import AMYLOID, BRAAK, LOSS_AD, LOSS_AGEING, LOSS_FRONTAL, LOSS_OCCIPITAL


def parameter_table() -> Iterator[str]:
    """Lines of the Markdown table of every parameter."""
    yield "| parameter | value | unit | source |"
    yield "|---|---|---|---|"
    for row in tabulate():
        yield "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |"
    for name, site in SITES.items():
        yield f"| site {name}: age | {site.age[0]:g}, {site.age[1]:g} | years: mean, sd | D |"
        for scanner, fwhm in site.psf_mm.items():
            yield (
                f"| site {name}: {scanner} | {fwhm:g}, {site.positive[scanner]:+g} | mm FWHM, "
                "log odds of amyloid | V bioRxiv 2024.09.30.614929 (3.5-8.5 mm); D |"
            )
    for name, c in CONFIGURATIONS.items():
        yield (
            f"| configuration {name} | {c.linked}, {c.recorded:g}, {c.scores:g}, "
            f"{c.unexplained:g} | PET linked to disease; factors on the noise of recorded "
            "numbers, scores, unexplained uptake | D |"
        )


def pattern_table() -> Iterator[str]:
    """Lines of the Markdown table of the regional patterns."""
    yield "| region | AD | frontal | occipital | ageing | amyloid | Braak |"
    yield "|---|---|---|---|---|---|---|"
    seen: set[str] = set()
    for label, (name, _) in region_names().items():
        if name in seen:
            continue
        seen.add(name)
        stages = zip(("I-II", "III-IV"), BRAAK, strict=True)
        stage = next((s for s, names in stages if name in names), "")
        tables = (LOSS_AD, LOSS_FRONTAL, LOSS_OCCIPITAL, LOSS_AGEING, AMYLOID)
        cells = [f"{float(t[label]):.2f}" for t in tables]
        yield f"| {name} | {' | '.join(cells)} | {stage} |"


if __name__ == "__main__":
    print("\n".join(parameter_table()))
    print()
    print("\n".join(pattern_table()))
