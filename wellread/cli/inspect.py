"""``wellread list``, ``info`` and ``verify``: what a hub has, what a model is, whether it is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from wellread.cli.options import hub_option, json_option, lang_option, print_json, print_table, version_option
from wellread.errors import IntegrityError, NotFound
from wellread.loader import fetch
from wellread.registry import artifact
from wellread.registry.fetch import open_release
from wellread.registry.index import read_catalog
from wellread.registry.manifest import MANIFEST, parse_manifest
from wellread.registry.names import parse_lang, parse_name
from wellread.registry.proof import proof_name, read_proof
from wellread.registry.records import Manifest, Release
from wellread.registry.resolve import find, hubs
from wellread.registry.stores import is_local, open_store


@click.command(name="list")
@hub_option
@json_option
def list_models(hub: str | None, as_json: bool) -> None:
    """The models of a hub.

    \b
    wellread list --hub ./hub
    """
    missing = [
        str(place) for place in hubs(hub) if hub and is_local(place) and not Path(open_store(place).url).is_dir()
    ]
    if missing:
        raise NotFound(f"there is no folder {', '.join(missing)}: no hub to list")
    entries = [entry for place in hubs(hub) for entry in read_catalog(open_store(place))]
    if as_json:
        return print_json(entries)
    if not entries:
        return click.echo(f"no models in {', '.join(map(str, hubs(hub)))}")
    rows = [(entry.name, entry.language, entry.latest, entry.title) for entry in entries]
    return print_table(("name", "lang", "latest", "title"), rows)


list_command = list_models


@click.command(name="info")
@click.argument("name")
@lang_option
@version_option
@hub_option
@json_option
def info(name: str, lang: str, version: str | None, hub: str | None, as_json: bool) -> None:
    """What a release is: its forms and their sizes, where it comes from, its licence.

    \b
    wellread info small_bert_L8_512 --hub ./hub
    """
    store, release = find(parse_name(name), parse_lang(lang), hub=hub, version=version)
    if store is None:
        raise NotFound(f"{name} ({lang}) is only in the cache: see wellread fetch {name}")
    manifest = open_release(store, release).manifest
    if as_json:
        return print_json({"release": release, "manifest": manifest})
    for label, value in _facts(release, manifest, store.url).items():
        click.echo(f"{label:<12}{value}")
    return print_table(("form", "precision", "MB"), [_form_row(manifest, form) for form in manifest.forms])


def _facts(release: Release, manifest: Manifest, where: str) -> dict[str, Any]:
    shape = manifest.architecture
    moment = datetime.fromtimestamp(manifest.time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "name": f"{manifest.name} ({manifest.language})  {manifest.title}",
        "release": f"{release.id}  {moment}  {release.state}",
        "hub": where,
        "sha256": release.sha256,
        "size": f"{release.size / 1e6:.1f} MB",
        "shape": f"L-{shape.layers} H-{shape.hidden} A-{shape.heads}, up to {manifest.max_length} tokens",
        "pooling": manifest.pooling,
        "license": manifest.license,
        "source": f"{manifest.source.kind}:{manifest.source.location}",
        "aliases": ", ".join(manifest.aliases) or "none",
    }


def _form_row(manifest: Manifest, form: str) -> tuple[str, str, float]:
    record = manifest.forms[form]
    return form, record.precision, round(sum(manifest.member(name).size for name in record.members) / 1e6, 1)


@click.command(name="verify")
@click.argument("target", metavar="ZIP|NAME")
@lang_option
@version_option
@hub_option
@json_option
def verify(target: str, lang: str, version: str | None, hub: str | None, as_json: bool) -> None:
    """Hash every byte of an artifact or of a model in the cache, and replay its goldens through every ONNX form.

    \b
    wellread verify dist/my_bert_en_2.6.0_2.4_1598344705269.zip
    wellread verify small_bert_L8_512 --hub ./hub
    """
    checked = _verify_zip(Path(target)) if target.endswith(".zip") else _verify_model(target, lang, version, hub)
    if as_json:
        return print_json(checked)
    for what, result in checked.items():
        click.echo(f"{what:<12}{result}")
    return None


def _verify_zip(path: Path) -> dict[str, str]:
    """Every byte against the manifest, the proof beside it against the bytes, then the goldens."""
    package = artifact.verify(path)
    sha256 = artifact.identify(package, path).sha256
    found = {"hashes": _hashed(package.manifest), "sha256": sha256, "proof": _check_proof(path, sha256)}
    with TemporaryDirectory(prefix="wellread-") as scratch:
        artifact.unpack(package, Path(scratch))
        return {**found, "goldens": _replay(Path(scratch), package.manifest)}


def _check_proof(path: Path, sha256: str) -> str:
    """What the proof of these bytes says. Raises IntegrityError for one of others, or one that says no."""
    proof = path.with_name(proof_name(path.name))
    if not proof.exists():
        return f"none beside it ({proof.name})"
    stated = read_proof(proof)
    if stated.sha256 != sha256:
        raise IntegrityError(f"{proof} is about other bytes than {path}: build or fetch both again")
    failed = [form.form for form in stated.parity.forms if not form.passed]
    if failed or not stated.parity.passed:
        raise IntegrityError(f"{proof} says that parity failed for {', '.join(failed) or 'every form'}: build it again")
    return f"of these bytes: parity passed for {', '.join(form.form for form in stated.parity.forms)}"


def _verify_model(name: str, lang: str, version: str | None, hub: str | None) -> dict[str, str]:
    folder = fetch(name, lang, hub=hub, version=version, form="all", verify="full")
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), str(folder))
    return {"hashes": _hashed(manifest), "path": str(folder), "goldens": _replay(folder, manifest)}


def _hashed(manifest: Manifest) -> str:
    return f"{len(manifest.files)} members as the manifest says"


def _replay(folder: Path, manifest: Manifest) -> str:
    from wellread.runtime.goldens import replay

    forms = [form for form in manifest.forms if form.startswith("onnx")]
    for form in forms:
        replay(folder, manifest, form)
    return f"met by {', '.join(forms)}" if forms else "no form that runs here"
