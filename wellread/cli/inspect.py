"""``wellread info`` and ``verify``: what a model is, whether it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from wellread.cli.meant import hit_of
from wellread.cli.options import (
    hub_option,
    json_option,
    lang_option,
    print_json,
    print_table,
    trust_option,
    version_option,
)
from wellread.cli.plain import plain
from wellread.errors import HubUnavailable, IntegrityError, NotFound, TrustError
from wellread.loader import fetch
from wellread.registry.artifact import package as artifact
from wellread.registry.artifact.manifest import MANIFEST, parse_manifest
from wellread.registry.artifact.proof import parse_proof, proof_name, proof_signers
from wellread.registry.artifact.tensors import unpacked_problems, weights_problems
from wellread.registry.cache.entry import places
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, ReleaseId, Version, parse_lang, parse_name
from wellread.registry.records import Manifest, Release
from wellread.registry.resolve.choice import choose
from wellread.registry.resolve.places import Place
from wellread.registry.resolve.search import Hit, hubs, is_offline
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.trust.keys import own_keys
from wellread.registry.trust.policy import HubTrust, judge, trusted
from wellread.registry.trust.policy import hubs as trusts


@click.command(name="info")
@click.argument("name")
@lang_option
@version_option
@hub_option
@click.option("--spark", metavar="VERSION", help="Only what a client of this Spark version opens: 3.4")
@click.option("--library", metavar="VERSION", help="Only what a client of this library version opens: 5.0")
@click.option("--annotator", metavar="NAME", help="Only for this annotator: BertEmbeddings …")
@click.option("--engine", metavar="ENGINE,…", help="The engines that the client has, the one it likes best first.")
@json_option
def info(name: str, lang: str, version: str | None, hub: str | None, as_json: bool, **client: str | None) -> None:
    """What a release is: its forms and their sizes, where it comes from, its licence, who signed it.

    \b
    wellread info small_bert_L8_512 --hub ./hub
    wellread info small_bert_L8_512 --spark 3.4 --library 5.0 --engine onnx,tensorflow
    """
    meant = parse_name(name), parse_lang(lang)
    if any(client.values()):
        hub, version = _fitting(*meant, hub, version, client)
    hit = _shown(*meant, hub=hub, version=version)
    release = hit.release
    manifest = None if release.foreign else _manifest(hit)
    if as_json:
        return print_json({"release": release, "manifest": manifest, "signers": hit.signers})
    told = _what_it_is(manifest) if manifest else _what_is_known(release)
    for label, value in {**_which(hit), **told}.items():
        click.echo(f"{label:<12}{plain(value)}")
    if manifest:
        print_table(("form", "precision", "MB"), [_form_row(manifest, form) for form in manifest.forms])
    return None


def _fitting(
    name: ModelName, lang: Lang, hub: str | None, version: str | None, client: Mapping[str, str | None]
) -> tuple[str, str]:
    """The first hub that has a release for such a client, and the id of that. Raises BadInput, NotFound."""
    spark, library = (Version.parse(text) if (text := client[field]) else None for field in ("spark", "library"))
    engines = [engine.strip() for engine in (client["engine"] or "").split(",") if engine.strip()]
    fits = partial(choose, lang=lang, spark=spark, library=library, annotator=client["annotator"], engines=engines)
    misses = []
    for url in hubs(hub):
        store = open_hub(url)
        place = Place(store, store.url, offline=is_offline())
        known = place.listed(name) or place.foreign(name, DEFAULT_FOLDER)
        try:
            if not known:
                raise NotFound("no such name")
            return str(url), fits([each.release for each in known], version=version).id
        except NotFound as miss:
            misses.append(f"{name} ({lang}) in {store.url}: {miss}")
    raise NotFound("\n".join(misses))


def _shown(name: ModelName, lang: Lang, hub: str | None, version: str | None) -> Hit:
    """The release that is meant; the last one where all were yanked, which loading refuses and looking does not.

    Raises as ``hit_of``.
    """
    try:
        return hit_of(name, lang, hub=hub, version=version)
    except NotFound:
        if version or not (last := _last_yanked(name, lang, hub)):
            raise
        return hit_of(name, lang, hub=hub, version=last)


def _last_yanked(name: ModelName, lang: Lang, hub: str | None) -> str | None:
    places = (Place(store, store.url, offline=is_offline()) for store in map(open_hub, hubs(hub)))
    known = (each.release for place in places for each in place.listed(name))
    yanked = [each.id for each in known if (each.language, each.folder, each.state) == (lang, DEFAULT_FOLDER, "yanked")]
    return max(yanked, key=lambda id: ReleaseId.parse(id).order, default=None)


def _manifest(hit: Hit) -> Manifest:
    """The manifest of a release, out of the cache if that holds it. Raises as ``_store`` and ``open_release``."""
    release = hit.release
    kept = (entry.manifest() for entry in places(release.file.removesuffix(".zip"), release.manifest))
    return next(filter(None, kept), None) or open_release(_store(hit), release).manifest


def _store(hit: Hit) -> Store:
    """The store of a release. Raises HubUnavailable where only the cache may be asked."""
    if hit.store is None:
        raise HubUnavailable(f"{hit.release.name} in {hit.hub}: that needs a network, and WELLREAD_OFFLINE is set")
    return hit.store


def _which(hit: Hit) -> dict[str, object]:
    """What its hub says of any release."""
    release = hit.release
    moment = datetime.fromtimestamp(release.time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "name": f"{release.name} ({release.language})",
        "release": f"{release.id}  {moment}  {release.state}{f': {release.why}' if release.why else ''}",
        "hub": hit.store.url if hit.store else hit.hub,
        "signed by": _in_words(hit.signers, trusted(hit.hub)),
        "sha256": release.sha256 or "unknown",
        "md5": release.md5 or "unknown",
        "size": f"{release.size / 1e6:.1f} MB" if release.size > 0 else "unknown",
    }


def _what_it_is(manifest: Manifest) -> dict[str, object]:
    shape = manifest.architecture
    return {
        "title": manifest.title,
        "shape": f"L-{shape.layers} H-{shape.hidden} A-{shape.heads}, up to {manifest.max_length} tokens",
        "pooling": manifest.pooling,
        "license": manifest.license,
        "source": f"{manifest.source.kind}:{manifest.source.location}",
        "aliases": ", ".join(manifest.aliases) or "none",
    }


def _what_is_known(release: Release) -> dict[str, object]:
    """All that there is to say of a zip without a manifest."""
    return {
        "annotator": release.annotator or "unknown",
        "engine": release.engine or "unknown",
        "library": release.library_version or "any",
        "spark": release.spark_version or "any",
        "form": f"{', '.join(release.forms)}: a zip for Spark NLP, which wellread fetches and checks but does not open",
    }


def _in_words(signed: Iterable[str], trust: HubTrust) -> str:
    """Who signed, and whether that is somebody whom one trusts."""
    known = dict.fromkeys(trust.first, "known since first use") | dict.fromkeys(trust.keys, "trusted")
    return ", ".join(f"{key} ({known.get(key, 'not trusted')})" for key in signed) or "nobody"


def _form_row(manifest: Manifest, form: str) -> tuple[str, str, float]:
    record = manifest.forms[form]
    return form, record.precision, round(sum(manifest.member(name).size for name in record.members) / 1e6, 1)


@click.command(name="verify")
@click.argument("target", metavar="ZIP|NAME")
@lang_option
@version_option
@hub_option
@trust_option
@json_option
def verify(target: str, lang: str, version: str | None, hub: str | None, trust: str | None, as_json: bool) -> None:
    """Check every byte of an artifact or of a model in the cache, its proof and signatures, and replay its goldens.

    \b
    wellread verify dist/my_bert_en_2.6.0_2.4_1598344705269.zip
    wellread verify small_bert_L8_512 --hub ./hub --trust enforce
    """
    if target.endswith(".zip"):
        checked = _verify_zip(Path(target), hub, trust)
    else:
        checked = _verify_model(target, lang, version, hub, trust)
    if as_json:
        return print_json(checked)
    for what, result in checked.items():
        click.echo(f"{what:<12}{plain(result)}")
    return None


def _verify_zip(path: Path, hub: str | None, trust: str | None) -> dict[str, str]:
    """Every byte against the manifest, the proof beside it against the bytes, then the goldens."""
    package = artifact.verify(path)
    packed = artifact.identify(package, path)
    proof = path.with_name(proof_name(path.name))
    raw = proof.read_bytes() if proof.exists() else None
    vouching = _vouching(hub)
    signed = proof_signers(raw, str(proof)) if raw is not None else ()
    if trust == "enforce" and not set(signed) & set(vouching.known):
        raise TrustError(f"{path}: nobody whom you trust signed its proof ({_in_words(signed, vouching)})")
    found = {
        "hashes": _hashed(package.manifest),
        "sha256": packed.sha256,
        "weights": _check_weights(package.manifest, weights_problems(package)),
        "proof": _check_proof(raw, str(proof), str(package.manifest.artifact), packed.sha256, packed.manifest),
        "signed by": _in_words(signed, vouching),
    }
    with TemporaryDirectory(prefix="wellread-") as scratch:
        artifact.unpack(package, Path(scratch))
        return {**found, "goldens": _replay(Path(scratch), package.manifest)}


def _vouching(hub: str | None) -> HubTrust:
    """The keys that vouch for a file of no hub: one's own, and those known of a hub, of any where none is named."""
    believed = [trusted(place) for place in hubs(hub)] if hub else trusts().values()
    by_hand = [key for each in believed for key in each.keys]
    return HubTrust(
        keys=(*(key.id for key in own_keys()), *by_hand),
        first=tuple(key for each in believed for key in each.first),
    )


def _check_weights(manifest: Manifest, problems: Sequence[str]) -> str:
    """Raises IntegrityError where the weights are not those of the source that the manifest names."""
    if problems:
        raise IntegrityError(f"{manifest.artifact}: {'; '.join(problems)}")
    return "those of its source" if "torch" in manifest.forms else "in a form that does not show their source"


def _check_proof(raw: bytes | None, where: str, file: str, sha256: str, manifest: str) -> str:
    """What the proof of these bytes says. Raises IntegrityError for one of others, or one that says no."""
    if raw is None:
        return f"none ({where} is not there)"
    stated = parse_proof(raw, where)
    if (stated.artifact, stated.sha256, stated.manifest) != (file, sha256, manifest):
        raise IntegrityError(f"{where} is about other bytes than {file}: build or fetch both again")
    failed = [form.form for form in stated.parity.forms if not form.passed]
    if failed or not stated.parity.passed:
        raise IntegrityError(f"{where} says that parity failed for {', '.join(failed) or 'every form'}: build it again")
    return f"of these bytes: parity passed for {', '.join(form.form for form in stated.parity.forms)}"


def _verify_model(name: str, lang: str, version: str | None, hub: str | None, trust: str | None) -> dict[str, str]:
    """Every byte in the cache against the manifest; line and proof of the hub against both, and who signed them."""
    folder = fetch(name, lang, hub=hub, version=version, form="all", verify="full", trust=trust)
    if folder.is_file():
        told = "a zip for Spark NLP, as its list says: it has no manifest, no proof and no signature"
        return {"hashes": told, "path": str(folder)}
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), str(folder))
    pinned = str(manifest.artifact.release)
    hit = hit_of(manifest.name, manifest.language, hub=hub, version=pinned, trust=trust)
    return {
        "hashes": _hashed(manifest),
        "path": str(folder),
        "weights": _check_weights(manifest, unpacked_problems(folder, manifest)),
        **_check_hub(hit, trust),
        "goldens": _replay(folder, manifest),
    }


def _check_hub(hit: Hit, trust: str | None) -> dict[str, str]:
    """What the hub says of a release and of its proof, and who signed both. Raises IntegrityError, TrustError."""
    release, key, believed = hit.release, proof_name(hit.release.path), trusted(hit.hub)
    line = f"signed by {_in_words(hit.signers, believed)}" if hit.signers else "unsigned"
    if hit.store is None:
        return {"hub": hit.hub, "index line": line, "proof": "not asked for: offline"}
    found, where = read(hit.store, key), f"{hit.store.url}/{key}"
    raw = found[0] if found else None
    signed = proof_signers(raw, where) if raw is not None else ()
    told = _check_proof(raw, where, release.file, release.sha256, release.manifest)
    judge(hit.hub, f"the proof of {release.file}", signed, trust)
    return {"hub": hit.store.url, "index line": line, "proof": told, "signed by": _in_words(signed, believed)}


def _hashed(manifest: Manifest) -> str:
    return f"{len(manifest.files)} members as the manifest says"


def _replay(folder: Path, manifest: Manifest) -> str:
    from wellread.runtime.goldens import replay

    forms = [form for form in manifest.forms if form.startswith("onnx")]
    for form in forms:
        replay(folder, manifest, form)
    return f"met by {', '.join(forms)}" if forms else "no form that runs here"
