"""A hub of as many models as wanted with real, small artifacts and proofs behind it, as a press would have made them.

Names, languages and moments are those of ``generated_hub``; every tenth model has two releases, a few are yanked or
deprecated. A zip has the members of a real one, a few KB in all; a proof has the parity report of a network of 12
layers in three forms, trials, results and benchmarks, its figures made of digests. What is written in a moment here
would take a press a year, so files are written as they are, without the registry's care for power cuts.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.generated_hub import TIME, language_of, name_of
from tests.registry.samples import FILES, make_manifest
from wellread.registry import records
from wellread.registry.artifact import layout
from wellread.registry.artifact.manifest import MANIFEST
from wellread.registry.artifact.proof import Digests, Envelope, Statement, Subject, proof_name
from wellread.registry.hub import index
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.pieces import sha256
from wellread.registry.records import Alias, CatalogEntry, HubInfo, Manifest, Proof, Release, encode, encode_pretty

_TASKS = ("Embeddings", "Named Entity Recognition", "Text Classification", "Question Answering", "Translation")
_LICENSES = ("Apache-2.0", "MIT", "CC-BY-4.0", "GPL-3.0-only")
_TAGS = ("bert", "embeddings", "small", "open_source", "distilled", "cased", "uncased", "medical", "legal", "finance")
_STATES: tuple[records.State, ...] = ("ready",) * 18 + ("deprecated", "yanked")
_LAYERS = 12
_POINTS = ("embeddings", *(f"layer {number}" for number in range(1, _LAYERS + 1)), "sequence", "pooled")
_DAY = 24 * 3600 * 1000
_MEMBERS = {**FILES, "model.safetensors": b"torch" * 200, "onnx/model.onnx": b"fp32" * 200}
_PROSE = (
    "This is one of {count} generated models: number {number}, a smaller BERT of the kind that **{author}** trained on "
    "English Wikipedia and BookCorpus. It is meant for machines with little memory, e.g. phones.\n\n"
    "The layers were distilled from a larger network. Use it as you would use any other:\n\n"
    "- as the first layer of a classifier,\n- to find texts that are alike,\n- to see how a site of {count} looks.\n\n"
    "See the [paper](https://example.org/papers/{number}) for how it was trained."
)


class Made(NamedTuple):
    """A release: its line, the line's bytes and its files by their key."""

    release: Release
    files: dict[str, bytes]
    manifest: Manifest


def write_releases(root: Path, models: int) -> Path:
    """A hub of ``models`` names below ``root``."""
    entries = []
    for number in range(models):
        made = list(_releases(number, models))
        _write(root, {index.index_key(made[0].release.name): _lines(made)})
        for one in made:
            _write(root, one.files)
        entries.append(_entry(made[-1], len(made)))
    catalogue = b"".join(line + b"\n" for line in sorted(entries))
    info = HubInfo(name="Generated models", mirrors=("https://models.example.org/hub",))
    _write(root, {index.CATALOG: catalogue, index.HUB: encode_pretty(info)})
    return root


def _lines(made: list[Made]) -> bytes:
    return b"".join(index.encode_line(one.release) + b"\n" for one in made)


def publish_again(root: Path, number: int, models: int) -> None:
    """Put another release of a model into such a hub: its files, and a line more."""
    made = [*_releases(number, models), _release(_manifest(number, models, moment(number, 9)), number, 9)]
    _write(root, {**made[-1].files, index.index_key(made[-1].release.name): _lines(made)})


def moment(number: int, turn: int) -> int:
    """When a release of a model was made, in milliseconds."""
    return TIME + number * 1000 + turn * 30 * _DAY


def _releases(number: int, models: int) -> Iterator[Made]:
    """The releases of a model, the oldest first."""
    for turn in range(2 if number % 10 == 0 else 1):
        yield _release(_manifest(number, models, moment(number, turn)), number, turn)


def _manifest(number: int, models: int, time: int) -> Manifest:
    name, language = name_of(number), language_of(number)
    reference = f"{language}.embed.{name}"
    members = tuple(
        records.Member(name=file, size=len(data), pieces=(sha256(data),) if data else ())
        for file, data in sorted(_MEMBERS.items())
    )
    author = f"author {number % 97}"
    return make_manifest(
        members,
        name=name,
        language=language,
        time=time,
        title=f"Smaller BERT, generated number {number}",
        description=_PROSE.format(count=models, number=number, author=author),
        annotator="BertSentenceEmbeddings" if number % 3 == 0 else "BertEmbeddings",
        task=_TASKS[number % len(_TASKS)],
        license=_LICENSES[number % len(_LICENSES)],
        author=author,
        edition=f"Spark NLP {2 + number % 4}.{number % 7}",
        supported=number % 4 == 0,
        recommended=number % 50 == 0,
        tags=tuple(_TAGS[(number + step) % len(_TAGS)] for step in range(3)),
        aliases=(reference,),
        dimension=32,
        data_source=f"https://example.org/modules/{name}",
        citation="@article{turc2019,\n  title={Well-Read Students Learn Better},\n  year={2019}\n}",
        repository="https://example.org/code",
        examples=("I love NLP", "A second sentence of the card."),
    )


def _release(manifest: Manifest, number: int, turn: int) -> Made:
    raw = encode_pretty(manifest)
    zipped = _zipped(raw)
    file = str(manifest.artifact)
    release = Release(
        id=str(manifest.artifact.release),
        name=manifest.name,
        language=manifest.language,
        folder=DEFAULT_FOLDER,
        library_version=manifest.library_version,
        spark_version=manifest.spark_version,
        time=manifest.time,
        annotator=manifest.annotator,
        engine=manifest.engine,
        file=file,
        size=len(zipped),
        sha256=sha256(zipped),
        md5=hashlib.md5(zipped, usedforsecurity=False).hexdigest().upper(),
        manifest=sha256(raw),
        manifest_size=len(raw),
        forms=tuple(manifest.forms),
        serial=turn + 1,
        state=_STATES[number % len(_STATES)],
        why="" if _STATES[number % len(_STATES)] == "ready" else "use a later one",
    )
    alias = Alias(reference=manifest.aliases[0], name=manifest.name, language=manifest.language)
    files = {
        release.path: zipped,
        f"{release.folder}/{proof_name(file)}": _enveloped(_proof(manifest, release)),
        index.alias_key(alias.reference): encode(alias) + b"\n",
    }
    return Made(release, files, manifest)


def _zipped(raw: bytes) -> bytes:
    """An artifact, as ``package.pack`` lays it out."""
    members = {MANIFEST: raw, **dict(sorted(_MEMBERS.items()))}
    crcs = {name: zlib.crc32(data) for name, data in members.items()}
    body = b"".join(layout.header(name, len(data), crcs[name]) + data for name, data in members.items())
    return body + layout.directory((name, len(data), crcs[name]) for name, data in members.items())


# ---------------------------------------------------------------- the proof


def _proof(manifest: Manifest, release: Release) -> Proof:
    digits = iter(hashlib.shake_128(release.sha256.encode()).digest(2000))
    return Proof(
        artifact=release.file,
        sha256=release.sha256,
        manifest=release.manifest,
        recipe="0" * 64,
        source=manifest.source.tensors,
        parity=records.ParityReport(
            oracle="the module itself, in float64",
            inputs=("real text", "random ids", "long", "padded", "hostile"),
            tokens=2048,
            forms=tuple(_form(form, digits) for form in manifest.forms),
        ),
        tools={"numpy": "2.3.1", "onnxruntime": "1.22.0", "torch": "2.9.0", "transformers": "4.57.1"},
        machine={"cpu": "any", "cores": "2", "system": "Linux", "python": "3.11.7"},
        created=manifest.time,
        trials=tuple(records.Trial(tab=tab, outcome="passed") for tab in ("Python", "NLU", "Transformers")),
        results=(_result(manifest.examples[0], digits),),
        benchmarks=tuple(
            records.Benchmark(form=form, size=1000, load=0.1 + next(digits) / 100, speed=9000.0, threads=1)
            for form in manifest.forms
        ),
    )


def _form(form: str, digits: Iterator[int]) -> records.FormParity:
    return records.FormParity(form=form, points=tuple(_point(name, form, digits) for name in _POINTS))


def _point(name: str, form: str, digits: Iterator[int]) -> records.Point:
    small = (1 + next(digits)) * 1e-8
    low = form == "onnx-int8"
    distance = records.Distance(
        max=0.1 + small if low else small, p99=small / 2, mean=small / 9, min_cosine=0.99 - small, mean_cosine=0.999
    )
    return records.Point(
        name=name,
        distance=distance,
        floor=1.2e-7,
        limit=0.95 if low else 1e-5,
        measure="min_cosine" if low else "max",
        worst="real text",
        passed=True,
    )


def _result(text: str, digits: Iterator[int]) -> records.Result:
    words = tuple(text.split())
    return records.Result(
        text=text, words=words, vectors=tuple(tuple(next(digits) / 256 for _ in range(4)) for _ in words)
    )


def _enveloped(proof: Proof) -> bytes:
    subject = Subject(name=proof.artifact, digest=Digests(sha256=proof.sha256))
    statement = encode(Statement(subject=(subject,), predicate=proof))
    return encode_pretty(Envelope(payload=base64.b64encode(statement).decode()))


# ---------------------------------------------------------------- the rest


def _entry(last: Made, count: int) -> bytes:
    release = last.release
    return msgspec.json.encode(
        CatalogEntry(
            name=release.name,
            language=release.language,
            folder=release.folder,
            title=last.manifest.title,
            annotator=release.annotator,
            latest=release.id,
            releases=count,
            state=release.state,
        )
    )


def _write(root: Path, files: dict[str, bytes]) -> None:
    for key, data in files.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
