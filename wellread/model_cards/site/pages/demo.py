"""The live demo: a model's int8 form in the visitor's browser.

    demo.html?model=en/small_bert_L8_512      one page for all models

    models/en/….json ─▶ address of the zip, where its members lie, their piece hashes
    zip ─ one Range request a piece ─ sha256 ─▶ tokenizer, graph, goldens ─ replayed ─▶ vectors, a picture

The scripts lie in ``static/demo``, what they run on is brought by ``vendored``. The page may compile WebAssembly and
may read the hub, which no other page may. Where a demo cannot work, its button says why (``why_not``); what only the
visitor's browser can find out (a hub that lets no other site read it, a server without ranges) the page itself says.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from wellread.model_cards.site.hub.models import Model
from wellread.model_cards.site.pages.page_templates import render
from wellread.model_cards.site.pages.vendored import Vendored, vendor
from wellread.model_cards.site.places import Site

__all__ = ["FORM", "PATH", "Vendored", "demo_page", "vendor", "why_not"]

PATH = "demo.html"
FORM = "onnx-int8"
"""The form that is shown: the smallest."""

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")
_HERE = ("localhost", "127.0.0.1", "::1")
"""Hosts that a browser lets a page of https ask over http."""


def demo_page(site: Site) -> str:
    """``demo.html``, which reads from its address which model is meant."""
    return render("demo.html.jinja", site, PATH, origin=_origin(site.download), form=FORM)


def why_not(site: Site, model: Model) -> str:
    """Why there is no live demo of a model's latest release, in words; empty where there is one."""
    latest = model.latest
    if latest.manifest is None:
        return latest.problem or "this release has no form that a browser could run"
    if latest.release.state == "yanked":
        return "this release was taken back"
    if FORM not in latest.manifest.forms:
        return f"this release has no form {FORM}, the one that a browser runs"
    return site.demo or _out_of_reach(site)


def _out_of_reach(site: Site) -> str:
    """Why no browser could read the hub from this site, as far as addresses tell."""
    if site.download and not _origin(site.download):
        return "no browser reads this hub: it has no address that begins with https://"
    hub = urlsplit(site.download)
    if site.address.startswith("https://") and hub.scheme == "http" and hub.hostname not in _HERE:
        return "a page of https may not read a hub of http"
    return ""


def _origin(address: str) -> str:
    """Scheme, host and port of the hub, as a policy names them; empty where it lies beside the site, or no browser
    reads it. Nothing else may get into the policy."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return origin if _ORIGIN.fullmatch(origin) else ""
