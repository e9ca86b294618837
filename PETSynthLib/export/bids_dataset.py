"""What makes a folder of ours a BIDS derivative, for ``petsynth batch`` and for an export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import __version__

BIDS_VERSION = "1.10.0"
DESCRIPTION = "dataset_description.json"


def derivative_description(
    name: str, program: str, links: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Content of ``dataset_description.json``.

    Parameters
    ----------
    name
        Sentence on what the data set holds.
    program
        Command that made it.
    links
        Name of another data set -> where it is, for BIDS URIs.
    """
    body: dict[str, Any] = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": program, "Version": __version__}],
    }
    return {**body, "DatasetLinks": dict(links)} if links else body
