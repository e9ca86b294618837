"""What holds for every test: no network beyond this machine, and the same examples each time."""

from __future__ import annotations

import ipaddress
import socket
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings

# Two busy cores make a time limit a lottery; fixed examples make a failure repeatable.
settings.register_profile("petsynth", deadline=None, derandomize=True)
settings.load_profile("petsynth")

# Each tier of the Slicer module's tests needs its packages; `make test` has them all.
_NEEDS = {
    "mrml": {"slicer_core"},
    "host": {"slicer_core", "PySide6"},
    "panel": {"slicer_core", "PySide6"},
}
collect_ignore = [folder for folder, names in _NEEDS.items() if not all(map(find_spec, names))]


def pytest_report_header() -> str | None:
    """Say what is left out."""
    left_out = ", ".join(f"Testing/{folder}" for folder in collect_ignore)
    return f"left out, no slicer-core or PySide6: {left_out}" if left_out else None


_connect = socket.socket.connect


def _connect_locally(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            msg = f"a test reached for the network: {host}"
            raise PermissionError(msg)
    _connect(self, address)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test talk to this machine only."""
    monkeypatch.setattr(socket.socket, "connect", _connect_locally)
