"""Rules about what a card says twice: in its table, its manifest and the name of its artifact."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from wellread.model_cards.licences import hugging_face_licence
from wellread.model_cards.lint.checked import Checked, Found, agree, artifact_of, day_of, shown, version_in
from wellread.registry.names import FIRST_MOMENT, LAST_MOMENT
from wellread.registry.records import Manifest


def _dimension(checked: Checked) -> Found:
    """``L-8_H-512_A-8`` in the title and ``L8_512`` in the name say how long vectors are."""
    dimension, card = checked.rows.get("dimension", ""), checked.card
    told = {
        "title": re.search(r"(?<![A-Za-z])H-(\d+)", card.title),
        "name": re.search(r"_L-?\d+_(?:H-?)?(\d+)(?=_|$)", card.name),
    }
    for key, found in told.items():
        if found and dimension.isdigit() and found[1] != dimension:
            yield checked.row_line("Dimension"), f"Dimension is {dimension} here, {found[1]} in the {key}"
            return


def _case(checked: Checked) -> Found:
    case = checked.rows.get("case sensitive", "").lower()
    words = re.split(r"[_\W]+", f"{checked.card.name} {checked.card.title}".lower())
    told = "false" if "uncased" in words else "true" if "cased" in words else case
    if case in ("true", "false") and case != told:
        yield checked.row_line("Case sensitive"), f"Case sensitive is {case} here, {told} by its name or title"


def _language(checked: Checked) -> Found:
    value, row = checked.card.keys.get("language"), checked.rows.get("language", "")
    if value and row and not agree(value, row):
        yield checked.row_line("Language"), f"Language is {row} here, {shown(value)} in the front matter"


def _licence(checked: Checked) -> Found:
    """In the front matter, by Hugging Face's names; in Model Information, by SPDX's; in the manifest."""
    row = checked.rows.get("license", "")
    row = "" if row.lower() in _FOUNDING_LICENCES else row
    named = {key: str(checked.card.keys[key]) for key in ("license", "license_name") if checked.card.keys.get(key)}
    for told, truth in (
        ("Model Information", row),
        ("the manifest", checked.manifest.license if checked.manifest else ""),
    ):
        wanted = hugging_face_licence(truth) if truth else {}
        for key, value in named.items():
            if key in wanted and value.lower() not in {wanted[key].lower(), truth.lower()}:
                yield checked.key_line(key), f"{key} is {value} here, {truth} in {told}"
    if row and checked.manifest and not agree(row, checked.manifest.license):
        yield checked.row_line("License"), f"License is {row} here, {checked.manifest.license} in the manifest"


_FOUNDING_LICENCES = ("open source", "licensed")
"""What the row License says in posts of the founding hub: whether it costs something."""

_STATED: tuple[tuple[str, str, Callable[[Manifest], Any]], ...] = (
    ("name", "Model Name", lambda manifest: manifest.name),
    ("language", "Language", lambda manifest: list(manifest.languages) or manifest.language),
    ("edition", "Edition", lambda manifest: manifest.edition),
    ("annotator", "", lambda manifest: manifest.annotator),
    ("spark_version", "", lambda manifest: manifest.spark_version),
    ("supported", "", lambda manifest: manifest.supported),
    ("", "Dimension", lambda manifest: manifest.dimension),
    ("", "Case sensitive", lambda manifest: manifest.architecture.cased),
    ("", "Max sentence length", lambda manifest: manifest.max_length),
)
"""A key of the front matter, a row of Model Information, and what the manifest says of both."""


def _manifest(checked: Checked) -> Found:
    if checked.manifest is None:
        return
    for key, label, stated in _STATED:
        truth = stated(checked.manifest)
        value, row = checked.card.keys.get(key), checked.rows.get(label.lower(), "")
        if value not in (None, "") and not agree(value, truth):
            yield checked.key_line(key), f"{key} is {shown(value)} here, {shown(truth)} in the manifest"
        if row and not agree(row, truth):
            yield checked.row_line(label), f"{label} is {row} here, {shown(truth)} in the manifest"


# ---------------------------------------------------------------- the artifact


def _links(checked: Checked) -> Found:
    for line, file in checked.artifacts:
        found = artifact_of(file)
        if found is None:
            yield line, f"{file!r} is not an artifact's name: NAME_LANG_LIBRARY_SPARK_MILLISECONDS.zip is expected"
        elif checked.card.name and found.name != checked.card.name:
            yield line, f"the card is about {checked.card.name!r}, its link leads to {found.name!r}"
        elif checked.languages and found.language not in checked.languages:
            told = f"the card is in {shown(sorted(checked.languages))}"
            yield line, f"the link leads to the language {found.language!r}, {told}"
        elif checked.listed and not checked.listed(found):
            yield line, f"the hub has no {file}: the link is dead"


def _versions(checked: Checked) -> Found:
    """The versions in the front matter and those in the artifact's name."""
    if checked.artifact is None:
        return
    release, keys = checked.artifact.release, checked.card.keys
    spark = keys.get("spark_version")
    if spark and release.spark and str(release.spark) not in map(str, spark if isinstance(spark, list) else [spark]):
        told = f"spark_version is {shown(spark)} here, {release.spark} in its artifact"
        yield checked.key_line("spark_version"), told
    library = version_in(str(keys.get("edition", "")))
    if library and release.library and library != release.library:
        yield checked.key_line("edition"), f"edition is of version {library} here, {release.library} in its artifact"


def _moment(checked: Checked) -> Found:
    """A card is written when its model is published: not before it is made, and soon after."""
    day = day_of(checked.card.keys.get("date"))
    if checked.artifact is None or day is None:
        return
    time, line = checked.artifact.release.time, checked.key_line("date")
    if not FIRST_MOMENT <= time <= LAST_MOMENT:
        yield line, f"the moment in its artifact's name, {time}, is not in milliseconds since 1970"
        return
    made = datetime.fromtimestamp(time / 1000, UTC).date()
    if not made - timedelta(days=1) <= day <= made + timedelta(days=31):
        yield line, f"the date is {day}, its artifact was made on {made}"


RULES = (_dimension, _case, _language, _licence, _manifest, _links, _versions, _moment)
