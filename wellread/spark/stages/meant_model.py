"""From what a stage's parameters say to the model that they mean.

path                               an artifact, or an unpacked one; name and language are what it says they are
name, lang, hub, folder, version   a published model, the version mostly a release id: the pin
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wellread import loader
from wellread.errors import BadInput, HubUnavailable, NotFound, WellreadError
from wellread.registry.names import DEFAULT_FOLDER, parse_lang, parse_name
from wellread.registry.resolve.search import find

if TYPE_CHECKING:
    from wellread.runtime.model import Model


def of_a_file(stage: str, path: str, form: str = "auto", device: str = "cpu", **meant: str) -> Model:
    """The model of an artifact. Raises BadInput where another is ``meant``, else as ``wellread.open``."""
    model = loader.open(path, form, device=device)
    held = {"name": str(model.name), "lang": str(model.language)}
    if wrong := [f"{name}={value!r}" for name, value in meant.items() if held.get(name) != value]:
        raise BadInput(
            f"{stage} has the artifact {path}, of {model.name} ({model.language}), and {', '.join(wrong)} means "
            f"another model: begin with {stage}.pretrained(…), or {stage}.of(wellread.open(…))"
        )
    return model


def of_a_hub(
    stage: str,
    name: str,
    lang: str = "en",
    hub: str | None = None,
    folder: str = DEFAULT_FOLDER,
    version: str | None = None,
    form: str = "auto",
    device: str = "cpu",
) -> Model:
    """A published model. Raises as ``wellread.pretrained``; where a pin leads nowhere, with what to do about it."""
    at = hub if hub is None or "://" in hub else Path(hub)  # as a path: a comma in it parts nothing
    try:
        return loader.pretrained(name, lang, hub=at, folder=folder, version=version, form=form, device=device)
    except (NotFound, HubUnavailable) as error:
        if version and not (isinstance(error, NotFound) and _is_there(name, lang, at, folder, version)):
            told = f"{stage} is pinned to {version} in {hub}: if that has moved, setHub(…) of the stage"
            error.args = (f"{error}\n{told}, and setVersion(…) takes another release",)  # the same one keeps its cause
        raise


def _is_there(name: str, lang: str, hub: str | Path | None, folder: str, version: str) -> bool:
    """Whether the release is found, so that something else is missing, as a form is."""
    try:
        find(parse_name(name), parse_lang(lang), hub=hub, folder=folder, version=version)
    except WellreadError:
        return False
    return True
