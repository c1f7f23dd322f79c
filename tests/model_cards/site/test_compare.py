"""The page that puts models side by side, before its script runs."""

from __future__ import annotations

from wellread.model_cards.site.pages.compare import compare_page
from wellread.model_cards.site.places import Site


def test_the_page_works_at_the_root_and_says_what_it_needs() -> None:
    page = compare_page(Site(title="A <hub>", assets="assets/1234"))
    assert "<title>Compare models · A &lt;hub&gt;</title>" in page
    assert 'src="assets/1234/compare.js"' in page
    assert "<noscript>" in page
