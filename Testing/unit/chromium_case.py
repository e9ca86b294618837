"""A page in headless Chromium, spoken to over its debugging pipe: no driver, no other package."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE_S = 60.0
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-extensions",
    "--remote-debugging-pipe",
)


def browser() -> str | None:
    """Path of an installed Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Tab:
    """One tab of a running browser.

    Attributes
    ----------
    complaints
        Errors on the console, uncaught exceptions, files that could not be loaded.
    requested
        Addresses the page asked for, ``data:`` and the page itself left out.
    """

    send: int
    receive: int
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    _number: int = 0
    _unread: bytes = b""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def evaluate(self, script: str) -> Any:
        """Value of a script's last expression in the page; promises are awaited."""
        made = self.call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if "exceptionDetails" in made:
            raise RuntimeError(str(made["exceptionDetails"]))
        return made["result"].get("value")

    def open(self, path: Path, width: int, height: int = 900) -> None:
        """Load a file in a window of this width and wait until all of it is there."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        self.call("Page.navigate", url=path.resolve().as_uri())
        deadline = time.monotonic() + PATIENCE_S
        there = "location.protocol === 'file:' && document.readyState === 'complete'"
        while not self.evaluate(there):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} was not loaded")
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        made = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(made["data"]))

    def pdf(self, path: Path) -> None:
        """The page as it prints."""
        made = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(made["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            part = os.read(self.receive, 1 << 20)
            if not part:
                raise RuntimeError("the browser has gone")
            self._unread += part
        first, self._unread = self._unread.split(b"\0", 1)
        message = dict(json.loads(first))
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.complaints.append(str(facts["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and facts["type"] in ("error", "assert"):
            self.complaints.append(str(facts["args"]))
        elif event == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.complaints.append(facts["entry"]["text"])
        elif event == "Network.loadingFailed":
            self.complaints.append(facts["errorText"])
        elif event == "Network.requestWillBeSent":
            address = facts["request"]["url"]
            if not address.startswith("data:") and address != facts["documentURL"]:
                self.requested.append(address)


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """A tab of a fresh browser, which ends with it.

    Parameters
    ----------
    profile
        Empty folder for the browser's own files.
    """
    command = browser()
    assert command, "ask browser() first"
    to_browser, send = os.pipe()
    receive, from_browser = os.pipe()
    # The browser reads from descriptor 3 and writes to 4; the shell puts our pipes there.
    script = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
    process = subprocess.Popen(
        ["bash", "-c", script, command, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        made = Tab(send, receive)
        target = made.call("Target.createTarget", url="about:blank")["targetId"]
        attached = made.call("Target.attachToTarget", targetId=target, flatten=True)
        made.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            made.call(f"{domain}.enable")
        yield made
    finally:
        process.terminate()
        process.wait(timeout=20)
        os.close(send)
        os.close(receive)
