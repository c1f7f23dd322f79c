"""The README's pictures, of what ``wellread serve`` shows: ``python -m tests.browser.screenshots HUB MODEL FOLDER``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.fixtures.browser import chromium

WIDTH, HEIGHT = 1200, 800


def shoot(page: Page, address: str, picture: Path, scheme: str) -> None:
    """One page, as far as it fits a window."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=picture)


def main(hub: str, model: str, folder: str) -> None:
    serve = [sys.executable, "-m", "wellread", "serve", "--hub", hub, "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server, chromium() as browser:
        assert server.stdout
        address = server.stdout.readline().split()[0]
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shoot(page, f"{address}/index.html", Path(folder) / "home.png", "light")
        shoot(page, f"{address}/models/en/{model}.html", Path(folder) / "model-dark.png", "dark")
        server.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
