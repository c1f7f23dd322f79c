"""The pages' templates: where they lie, and what each may use.

    base.html.jinja      the frame of every page: blocks title, head, policy, main, scripts
    rows.html.jinja      macros: a model in a list, a release's state, a way of paging
    home, model, listing, changelog, not_found, and the pages of other modules

Whatever a hub says is hostile text, so everything is escaped but what the templates themselves call ``safe``: HTML that
a function of ours made. A name that nobody gave is an error instead of a gap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jinja2

from wellread.model_cards.site.places import Site, model_path, root_of, slug

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999
"""The last millisecond that has a date of four digits; an index line may hold any number."""
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@cache
def environment() -> jinja2.Environment:
    """Where all pages' templates come from. Filters: ``size`` of bytes, ``day`` of milliseconds, ``counted`` things."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("wellread.model_cards.site.pages"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(size=size, day=day, counted=counted, slug=slug)
    templates.globals.update(model_path=model_path)
    return templates


def render(template: str, site: Site, path: str, *, root: str | None = None, **facts: Any) -> str:
    """A page from a template, for the place in the site where it will lie.

    ``path`` is that place, ``models/en/tiny.html``. ``root`` stands before every link into the site; it is the way
    back from ``path`` unless a page that is shown elsewhere gives another. ``facts`` are the template's own.
    """
    root = root_of(path) if root is None else root
    return (
        environment()
        .get_template(template)
        .render(
            site=site, path=path, root=root, assets=f"{root}{site.assets}", canonical=canonical(site, path), **facts
        )
    )


def canonical(site: Site, path: str) -> str:
    """The one address of a page, empty where nobody said where the site will be."""
    return f"{site.address}/{path.removesuffix('index.html')}" if site.address else ""


def size(amount: int) -> str:
    """Bytes for people: ``40.9 MB``; ``unknown`` for none or fewer, as index lines of Spark NLP's zips have them."""
    if amount <= 0:
        return "unknown"
    for unit, name in _UNITS:
        if amount >= unit:
            return f"{amount / unit:.1f} {name}"
    return f"{amount} B"


def day(milliseconds: int) -> str:
    """The date of a moment since 1970 in UTC: ``2020-08-25``."""
    return (_EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), _LAST))).strftime("%Y-%m-%d")


def counted(number: int, one: str, many: str = "") -> str:
    """``1 model``, ``20,000 models``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
