"""The pages of a site: one for a model, and those that models share.

    model_page      models/<language>/<name>.html
    shared_pages    index.html, languages/…, tasks/…, changelog.html …, 404.html

Each is a template and what it is told; nothing here is computed that a manifest, a proof or an index line does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from shlex import quote
from urllib.parse import urlsplit

from markupsafe import Markup

from wellread.model_cards import escaping
from wellread.model_cards.card import Card
from wellread.model_cards.facts import card_of
from wellread.model_cards.site.hub.models import Model, Published, Row, Step
from wellread.model_cards.site.pages.listing import in_order, paged, paged_from_the_end
from wellread.model_cards.site.pages.machine import form_size, json_ld
from wellread.model_cards.site.pages.notebook import reachable
from wellread.model_cards.site.pages.offers import offers, pretrained
from wellread.model_cards.site.pages.page_templates import day, environment, render
from wellread.model_cards.site.pages.rows import row_of
from wellread.model_cards.site.pages.sections import parts, prose
from wellread.model_cards.site.pages.shelves import SHELVES, Group, Shelf, groups
from wellread.model_cards.site.places import Site, model_path

SHOWN = 50
"""Models on the home page before anybody searched."""


# ---------------------------------------------------------------- a model


def model_page(site: Site, model: Model) -> str:
    """The page of a model: what it is, how to use it, what was measured, and all its releases."""
    latest = model.latest
    card = _card(site, model)
    return render(
        "model.html.jinja",
        site,
        f"{model_path(model.name, model.language)}.html",
        row=row_of(model),
        card=card,
        description=_description(latest),
        usage=prose(card.usage, "How to use"),
        hub=_choice(site),
        notes=prose(card.notes, "Model Information"),
        parts=list(parts(card, latest.proof)),
        latest=latest,
        releases=model.releases,
        forms=_forms(latest),
        offers=list(offers(site, model, card)),
        pretrained=pretrained(model),
        json_ld=json_ld(site, model),
    )


def _card(site: Site, model: Model) -> Card:
    """The card of a model's latest release; of one without a manifest, what its index line says."""
    published, release = model.latest, model.latest.release
    if published.manifest:
        aliases = model.aliases
        return card_of(published.manifest, proof=published.proof, release=release, site=site, aliases=aliases)
    rows = {
        "Model Name": release.name,
        "Language": release.language,
        "Type": release.annotator,
        "Engine": release.engine,
        "Compatibility": f"library {release.library_version}, Spark {release.spark_version}",
    }
    return Card(keys={"name": str(release.name)}, information={label: said for label, said in rows.items() if said})


def _choice(site: Site) -> str:
    """The line for a shell that names the hub, empty where its readers cannot be told what it is called."""
    hub = reachable(site)
    return f"export WELLREAD_HUB={quote(hub)}" if hub else ""


def _description(published: Published) -> str:
    """What the card's begins with when all is well; the page says in a banner what is not."""
    return prose(escaping.prose(published.manifest.description if published.manifest else ""), "Description")


def _forms(published: Published) -> list[tuple[str, str, int]]:
    """Each form with its precision and the bytes that come with it; without a manifest only its name is known."""
    manifest = published.manifest
    if manifest is None:
        return [(form, "", 0) for form in published.release.forms]
    return [(name, form.precision, form_size(manifest, name)) for name, form in manifest.forms.items()]


# ---------------------------------------------------------------- pages that models share


def shared_pages(site: Site, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Every page that is about more than one model, as (path, HTML)."""
    rows = in_order(rows)
    shelves = [(shelf, groups(shelf, rows)) for shelf in SHELVES]
    yield "index.html", _home(site, rows, shelves)
    yield from _listings(site, rows, shelves)
    yield from _changelog(site, rows)
    yield "404.html", _not_found(site)


def _home(site: Site, rows: Sequence[Row], shelves: Sequence[tuple[Shelf, list[Group]]]) -> str:
    shown = [_row(row, "") for row in rows[:SHOWN]]
    return render("home.html.jinja", site, "index.html", total=len(rows), rows=shown, shelves=shelves)


def _listings(
    site: Site, rows: Sequence[Row], shelves: Sequence[tuple[Shelf, list[Group]]]
) -> Iterator[tuple[str, str]]:
    """The lists of all shelves. What a model looks like in them is made once, however many it is in."""
    looks = {row.path: _row(row, "../") for row in rows}
    for shelf, found in shelves:
        for group in found:
            for sheet in paged(group.stem, [looks[row.path] for row in group.rows]):
                html = render("listing.html.jinja", site, sheet.path, shelf=shelf, group=group, sheet=sheet)
                yield sheet.path, html


def _row(row: Row, root: str) -> Markup:
    """A model in a list on a page that is ``root`` away from the site's root."""
    html: Markup = vars(environment().get_template("rows.html.jinja").module)["row"](row, root)
    return html


# ---------------------------------------------------------------- the changelog


def _changelog(site: Site, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """All releases of all models, the newest first, by day."""
    steps = [(row, step) for row in rows for step in row.steps]
    steps.sort(key=lambda found: (-found[1].time, found[0].name, found[0].language, found[1].id))
    for sheet in paged_from_the_end("changelog", steps):
        days = [(date, list(entries)) for date, entries in groupby(sheet.items, _day)]
        yield sheet.path, render("changelog.html.jinja", site, sheet.path, sheet=sheet, total=len(steps), days=days)


def _day(entry: tuple[Row, Step]) -> str:
    return day(entry[1].time)


def _not_found(site: Site) -> str:
    """Servers show this page at any address, so its links begin where the site does; two slashes would be a host."""
    below = "".join(f"{part}/" for part in urlsplit(site.address).path.split("/") if part)
    return render("not_found.html.jinja", site, "404.html", root=f"/{below}")
