"""A hub of as many models as wanted, written straight into a folder: index, catalogue and Spark NLP's list.

The shapes are those of a real hub: names of 10 to 60 characters in 40 languages, a release each, all in one folder. No
artifact lies behind them, for none of what is measured on them opens one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wellread.registry.hub import index
from wellread.registry.hub.index import CATALOG, HUB
from wellread.registry.names import DEFAULT_FOLDER, ArtifactName, Lang, ModelName, ReleaseId
from wellread.registry.pieces import sha256
from wellread.registry.records import CatalogEntry, HubInfo, Release, encode, encode_pretty
from wellread.registry.views import spark_nlp

TIME = 1_598_344_705_269
_KINDS = ("small_bert", "sent_small_bert", "bert_classifier_sentiment", "roberta_ner", "distilbert_finetuned_squad")
_LANGUAGES = ("en", "de", "fr", "es", "xx", *(f"{a}{b}" for a in "abcdef" for b in "lmnoprs"))[:40]


def write_hub(root: Path, models: int) -> Path:
    """A hub of ``models`` names below ``root``."""
    releases = [_release(number) for number in range(models)]
    for release in releases:
        key = root / index.index_key(release.name)
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(index.encode_line(release) + b"\n")
    _write(root / HUB, iter([encode_pretty(HubInfo(name=root.name)).rstrip()]))
    _write(root / CATALOG, iter(sorted(map(_entry, releases))))
    _write(root / spark_nlp.metadata_key(DEFAULT_FOLDER), map(spark_nlp.row, releases))
    return root


def name_of(number: int) -> ModelName:
    """The name of a generated model."""
    return ModelName(f"{_KINDS[number % len(_KINDS)]}_L{number % 12 + 1}_H{number % 7 * 128 + 128}_{number:06}")


def language_of(number: int) -> Lang:
    """The language of a generated model."""
    return Lang(_LANGUAGES[number % len(_LANGUAGES)])


def _release(number: int) -> Release:
    name, language = name_of(number), language_of(number)
    identity = ReleaseId.parse(f"2.6.0_2.4_{TIME + number}")
    digest = sha256(name.encode())
    return Release(
        id=str(identity),
        name=name,
        language=language,
        folder=DEFAULT_FOLDER,
        library_version="2.6.0",
        spark_version="2.4",
        time=identity.time,
        annotator="BertEmbeddings",
        engine="onnx",
        file=str(ArtifactName(name, language, identity)),
        size=400_000_000,
        sha256=digest,
        md5=digest[:32].upper(),
        manifest=digest,
        manifest_size=9000,
        forms=("torch", "onnx", "onnx-int8"),
        serial=1,
    )


def _entry(release: Release) -> bytes:
    return encode(
        CatalogEntry(
            name=release.name,
            language=release.language,
            folder=release.folder,
            title=f"Smaller BERT, generated ({release.name[-6:]})",
            annotator=release.annotator,
            latest=release.id,
            releases=1,
        )
    )


def _write(path: Path, lines: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
