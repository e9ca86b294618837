"""The BIDS validator of the standard's own makers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


def bids_errors(folder: Path, cache: Path) -> list[str]:
    """Codes of the errors that the BIDS validator finds in a data set; it reaches no network."""
    reason = "bids-validator-deno is not installed"
    script = Path(pytest.importorskip("bids_validator_deno", reason=reason).__file__)
    deno = pytest.importorskip("deno", reason=reason).find_deno_bin()
    allowed = ["--allow-read", "--allow-env", "--deny-net", "--no-remote"]
    done = subprocess.run(
        [deno, "run", *allowed, script.with_name("bids-validator.js"), folder, "--format", "json"],
        capture_output=True,
        check=False,
        env={**os.environ, "DENO_DIR": str(cache / "deno"), "DENO_NO_UPDATE_CHECK": "1"},
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [issue["code"] for issue in issues if issue["severity"] == "error"]
