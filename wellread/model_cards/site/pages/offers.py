"""What a model's page offers: each thing that can be done with the model, or why it cannot.

Download              the artifact
Copy S3 URI           its address, for other tools
Live demo             the int8 form, in the visitor's browser
Open in Colab         the notebook, where hub.json says which GitHub folder has it
Download notebook     else
Compare               beside other models
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wellread.model_cards.card import Card
from wellread.model_cards.site.hub.models import Model
from wellread.model_cards.site.pages.demo import why_not
from wellread.model_cards.site.places import Site, model_path, root_of
from wellread.registry.records import Manifest

_ADDRESSES = {"s3": "Copy S3 URI", "gs": "Copy GCS URI", "az": "Copy Azure URI"}
"""Scheme → what people who use such a store call an address."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button: a ``link``, which may be to a file to keep, or an address that it ``copies``, both as links are
    written; without both, ``why`` not."""

    label: str
    link: str = ""
    copies: str = ""
    why: str = ""
    kept: bool = False
    main: bool = False


def offers(site: Site, model: Model, card: Card) -> Iterator[Offer]:
    """The buttons of a model's page, in their order. They are about its latest release; of one without a manifest
    there is nothing to do but to take it."""
    root, key = root_of(model_path(model.name, model.language)), model.latest.release.path
    yield Offer(label="Download", link=site.link(key, root), kept=True, main=True)
    yield _address(site, key, root)
    if model.latest.manifest:
        yield _demo(site, model, root)
        yield _notebook(model, model.latest.manifest, card)
        yield Offer(label="Compare", link=f"{root}compare.html?models={model.language}/{model.name}")


def pretrained(model: Model) -> str:
    """The line that loads the model in Python, empty where none does. What was yanked is had by its full id only."""
    release, manifest = model.latest.release, model.latest.manifest
    if manifest is None or "onnx" not in manifest.forms:
        return ""
    version = f', version="{release.id}"' if release.state == "yanked" else ""
    return f'wellread.pretrained("{model.name}", "{model.language}"{version})'


def _address(site: Site, key: str, root: str) -> Offer:
    """A site that lies over its hub is an address of it as well; where nobody said which, the browser knows."""
    hub = site.uri or site.download or site.address
    label = _ADDRESSES.get(hub.partition("://")[0], "Copy address")
    return Offer(label=label, copies=f"{hub}/{key}" if hub else site.link(key, root))


def _demo(site: Site, model: Model, root: str) -> Offer:
    if why := why_not(site, model):
        return Offer(label="Live demo", why=why)
    return Offer(label="Live demo", link=f"{root}demo.html?model={model.language}/{model.name}")


def _notebook(model: Model, manifest: Manifest, card: Card) -> Offer:
    if "onnx" not in manifest.forms:
        return Offer(label="Notebook", why="this release has no form that a notebook could open")
    if model.latest.release.state == "yanked":
        return Offer(label="Notebook", why="this release was taken back")
    colab = next((button.address for button in card.buttons if button.label == "Open in Colab"), "")
    if colab:
        return Offer(label="Open in Colab", link=colab)
    return Offer(label="Download notebook", link=f"{model.name}.ipynb", kept=True)
