"""The report's one script, a button that copies text, and the rule that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib

BUTTON, TEXT = "copy-button", "copy-text"
"""Ids of the button and of what it copies."""

SCRIPT = f"""
const button = document.getElementById("{BUTTON}"), text = document.getElementById("{TEXT}");
const select = () => {{
  const range = document.createRange();
  range.selectNodeContents(text);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}};
button.hidden = false;
button.addEventListener("click", async () => {{
  let copied = false;
  try {{
    await navigator.clipboard.writeText(text.textContent);
    copied = true;
  }} catch {{
    select();
    copied = document.execCommand("copy");
  }}
  if (!copied) select();
  button.textContent = copied ? "Copied" : "Selected: press Ctrl+C";
}});
"""


def content_policy() -> str:
    """Content security policy: pictures inside the page, our style, our script by its digest.

    Whatever text ends up in the page, it can neither run nor load anything from elsewhere.
    """
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode("utf-8")).digest()).decode("ascii")
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
