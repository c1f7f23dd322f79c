"""The page that puts models side by side: ``compare.html?models=en/a,en/b``.

It is one page for all models. Its script reads which in the address, and what they are in ``models/…/….json``.
"""

from __future__ import annotations

from wellread.model_cards.site.pages.page_templates import render
from wellread.model_cards.site.places import Site


def compare_page(site: Site) -> str:
    """``compare.html``."""
    return render("compare.html.jinja", site, "compare.html")
