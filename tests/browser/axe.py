"""axe-core, the accessibility auditor, as ``package-lock.json`` pins it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

PINNED = ("package.json", "package-lock.json")
SERIOUS = ("serious", "critical")


class Axe:
    """Called with a page, all of whose folded parts it opens: what is seriously wrong there, in words."""

    def __init__(self, folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed")
        for name in PINNED:
            shutil.copy(Path(__file__).with_name(name), folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        self._source = (folder / "node_modules/axe-core/axe.min.js").read_text()

    def __call__(self, page: Page) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach((box) => (box.open = true))")
        found: dict[str, Any] = page.evaluate(f"{self._source}; axe.run()")
        assert found["passes"]
        return [_told(violation) for violation in found["violations"] if violation["impact"] in SERIOUS]


def _told(violation: dict[str, Any]) -> str:
    places = ", ".join(str(node["target"]) for node in violation["nodes"][:5])
    return f"{violation['id']}: {violation['help']} ({places}) {violation['nodes'][0].get('failureSummary', '')}"
