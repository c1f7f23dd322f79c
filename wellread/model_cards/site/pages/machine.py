"""The site for machines: what the pages say, as JSON.

    models/<language>/<name>.json   a model: identity, releases, forms; where each member lies in the zip of the latest
    models.json                     every model, a row each
    benchmarking.json               what their proofs measured: parity and speed
    references.json                 where their weights and texts come from, and how to cite them

The last three have the names of the founding hub's files. Each is an array with a line for an entry, so that it can be
written and read as a stream. An address in a file is relative to that file, as a link in a page is, unless the hub lies
elsewhere. Figures that are no numbers (nan) are null. JSON-LD is for search engines, in the words of schema.org.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from wellread.model_cards.measured import nearest
from wellread.model_cards.site.hub.models import Model, Published, Row
from wellread.model_cards.site.pages.page_templates import day
from wellread.model_cards.site.places import Site, model_path, root_of
from wellread.registry.artifact.layout import offsets
from wellread.registry.artifact.manifest import members_of
from wellread.registry.artifact.proof import proof_name
from wellread.registry.records import PIECE, FormParity, Manifest, Proof, Release

JOINED = ("benchmarking", "references")
"""The files that are joined from a fragment a model."""
LONGEST = 64 * 1024
"""Bytes of a fragment at most; a usual one has 2 KB."""

_SAID = (
    "title", "description", "annotator", "task", "engine", "license", "author", "edition", "supported", "recommended",
    "tags", "aliases", "languages", "base_model", "repository", "data_source", "citation", "examples", "dimension",
    "max_length", "pooling", "architecture", "source",
)  # fmt: skip
"""What a model's file repeats of the manifest."""
_LINE = (
    "id", "state", "why", "time", "library_version", "spark_version", "annotator", "engine", "folder", "file", "size",
    "sha256", "md5", "manifest", "manifest_size",
)  # fmt: skip
"""What it repeats of the index line."""
_SPDX = re.compile(r"[A-Za-z0-9.+\-]{1,64}")
_IN_HTML = {ord("<"): r"\u003c", ord(">"): r"\u003e", ord("&"): r"\u0026"}


# ---------------------------------------------------------------- a model


def model_json(site: Site, model: Model) -> bytes:
    """``models/<language>/<name>.json``; sizes in bytes, times in milliseconds, pieces of ``piece`` bytes.

    ``members`` tells the whole of the latest zip: where each member's bytes begin in it, how many there are, and the
    sha256 of their pieces. So whoever asks for a range can check what came.
    """
    latest = model.latest
    stated = latest.manifest
    said: dict[str, Any] = {
        "format": 1,
        "name": model.name,
        "language": model.language,
        "page": f"{model.name}.html",
        **({key: getattr(stated, key) for key in _SAID} if stated else {}),
        "releases": [_release(site, published) for published in model.releases],
        "piece": PIECE,
        "members": list(_members(stated, latest.release.manifest_size)) if stated else [],
        **_measured(latest.proof),
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n"


def _release(site: Site, published: Published) -> dict[str, Any]:
    release = published.release
    return {
        **{key: getattr(release, key) for key in _LINE},
        **_addresses(site, release, root_of(model_path(release.name, release.language))),
        "signers": published.signers,
        "forms": _forms(published.manifest) if published.manifest else {form: {} for form in release.forms},
        "problem": published.problem,
    }


def _addresses(site: Site, release: Release, root: str) -> dict[str, str]:
    """Where a release is. Spark NLP's own have no proof."""
    found = {"url": site.link(release.path, root)}
    if not release.foreign:
        found["proof"] = site.link(f"{release.folder}/{proof_name(release.file)}", root)
    if site.uri:
        found["uri"] = f"{site.uri}/{release.path}"
    return found


def _forms(manifest: Manifest) -> dict[str, Any]:
    return {
        name: {
            "precision": form.precision,
            "size": form_size(manifest, name),
            "max_error": form.max_error,
            "min_cosine": form.min_cosine,
            "members": form.members,
        }
        for name, form in manifest.forms.items()
    }


def form_size(manifest: Manifest, form: str) -> int:
    """Bytes of all members that come with a form. Raises NotFound."""
    return sum(member.size for member in members_of(manifest, form))


def _members(manifest: Manifest, manifest_size: int) -> Iterator[dict[str, Any]]:
    at = offsets(manifest, manifest_size)
    for member in manifest.files:
        yield {"name": member.name, "offset": at[member.name], "size": member.size, "pieces": member.pieces}


# ---------------------------------------------------------------- what was measured


def _measured(proof: Proof | None) -> dict[str, Any]:
    if proof is None:
        return {}
    return {
        "oracle": proof.parity.oracle,
        "parity": [_distance(form) for form in proof.parity.forms if form.points],
        "benchmarks": proof.benchmarks,
        "machine": proof.machine,
    }


def _distance(form: FormParity) -> dict[str, Any]:
    """How far a form lies from the source at the point that comes nearest to its limit, the one that its page shows."""
    point = nearest(form)
    return {
        "form": form.form,
        "passed": form.passed,
        "point": point.name,
        "max": point.distance.max,
        "min_cosine": point.distance.min_cosine,
        "mean_cosine": point.distance.mean_cosine,
        "measure": point.measure,
        "limit": point.limit,
    }


# ---------------------------------------------------------------- lists of all models


def fragments(site: Site, model: Model) -> dict[str, bytes]:
    """A model's entry in each file of ``JOINED``, those left out for which it has nothing to say, or far too much: a
    proof is a stranger's, and these files are everybody's."""
    latest = model.latest
    entries = {"benchmarking": _measured(latest.proof), "references": _references(latest.manifest)}
    identity = {
        "name": model.name,
        "language": model.language,
        "release": latest.release.id,
        "page": f"{model_path(model.name, model.language)}.html",
    }
    written = {kind: msgspec.json.encode(identity | entry) for kind, entry in entries.items() if entry}
    return {kind: fragment for kind, fragment in written.items() if len(fragment) <= LONGEST}


def _references(manifest: Manifest | None) -> dict[str, Any]:
    keys = ("title", "license", "author", "data_source", "citation", "repository", "base_model", "source")
    return {key: getattr(manifest, key) for key in keys} if manifest else {}


def list_files(
    site: Site, rows: Iterable[Row], kept: Callable[[str], Iterable[bytes]]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """``models.json`` and the files of ``JOINED``, each as a stream of chunks.

    ``kept`` gives all models' fragments of a kind, in the order of the rows.
    """
    yield "models.json", join(_row(site, row) for row in rows)
    for kind in JOINED:
        yield f"{kind}.json", join(kept(kind))


def _row(site: Site, row: Row) -> bytes:
    path = model_path(row.name, row.language)
    places = {"page": f"{path}.html", "json": f"{path}.json", "url": site.link(row.path, "")}
    return msgspec.json.encode(msgspec.to_builtins(row) | places)


def join(entries: Iterable[bytes]) -> Iterator[bytes]:
    """Documents of JSON as one array, in chunks."""
    before = b"[\n"
    for entry in entries:
        yield before + entry
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


# ---------------------------------------------------------------- for search engines


def json_ld(site: Site, model: Model) -> str:
    """What a search engine may know of a model, as the text of a ``<script type="application/ld+json">``.

    It is a ``Dataset``: of the types that engines read, the one for things that are downloaded and cited and are not
    run by themselves. ``<``, ``>`` and ``&`` are escaped, so that nothing in it ends the element.
    https://schema.org/Dataset
    """
    latest = model.latest
    path = model_path(model.name, model.language)
    stated = latest.manifest
    said = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": stated.title if stated else model.name,
        "alternateName": model.name,
        "identifier": f"sha256:{latest.release.sha256}" if latest.release.sha256 else "",
        "url": f"{site.address}/{path}.html" if site.address else "",
        **(_described(stated) if stated else {}),
        "inLanguage": list(stated.languages) if stated and stated.languages else model.language,
        "version": latest.release.id,
        "dateModified": day(latest.release.time),
        "includedInDataCatalog": {"@type": "DataCatalog", "name": site.title},
        "distribution": _distribution(site, latest.release, root_of(path)),
    }
    return msgspec.json.encode({key: value for key, value in said.items() if value}).decode().translate(_IN_HTML)


def _described(manifest: Manifest) -> dict[str, Any]:
    """The author stands as credit: a ``creator`` is a person or an organisation, and which nobody said."""
    return {
        "description": manifest.description,
        "license": _license(manifest.license),
        "creditText": manifest.author,
        "keywords": list(manifest.tags),
        "citation": manifest.citation,
        "isBasedOn": manifest.repository if manifest.repository.startswith(("https://", "http://")) else "",
    }


def _license(name: str) -> str:
    """The licence's address in the SPDX list, or its text where it is an expression."""
    return f"https://spdx.org/licenses/{name}.html" if _SPDX.fullmatch(name) else name


def _distribution(site: Site, release: Release, root: str) -> dict[str, str]:
    link = site.link(release.path, root)
    over = site.address and not site.download
    said = {
        "@type": "DataDownload",
        "contentUrl": f"{site.address}/{release.path}" if over else link,
        "encodingFormat": "application/zip",
        "contentSize": f"{release.size} B" if release.size > 0 else "",
        "sha256": release.sha256,
        "uploadDate": day(release.time),
    }
    return {key: value for key, value in said.items() if value}
