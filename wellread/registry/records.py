"""The facts that travel: manifest, goldens, parity report, proof, index line.

Each record is a frozen msgspec struct, encoded as JSON with the fields in the order they are declared here, so the
same facts are the same bytes. Decoding is strict about types. A record of a later ``format`` is refused by whoever
reads it (see ``decode``); an unknown field within the same format is kept out, not an error, so fields may be added.

    manifest.json      Manifest      inside the zip: only what is the same on every machine
    golden.json        Goldens       inside the zip
    *.proof.json       Proof         beside the zip, as an in-toto statement in a DSSE envelope
    index/…/*.jsonl    Release       in the hub: one line a release (see ``index``)
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from wellread.errors import IntegrityError
from wellread.registry.names import ArtifactName, Lang, ModelName, ReleaseId, Version

FORMAT = 1
"""The format this version writes, and the latest that it reads."""
PIECE = 8 * 1024 * 1024
"""Bytes in a piece: what is hashed, fetched again and repaired as one."""

Pooling = Literal["mean", "mean-words", "cls", "pooler", "pooler-linear"]
"""How a text's vector is made: the mean over all pieces, the mean without ``[CLS]`` and ``[SEP]``, the vector of
``[CLS]``, the pooler's output, or the pooler's output before its tanh."""
Annotator = Literal["BertEmbeddings", "BertSentenceEmbeddings"]


class Record(msgspec.Struct, frozen=True):
    """Base of all records."""


class Document(Record, frozen=True, kw_only=True):
    """Base of the records that are read on their own: each says which ``format`` it is of, 1 or later."""

    format: int = FORMAT


# ---------------------------------------------------------------- the artifact


class Member(Record, frozen=True, kw_only=True):
    """A file of the artifact. ``pieces`` are the sha256 of its consecutive 8 MiB pieces; an empty file has none."""

    name: str
    size: int
    pieces: tuple[str, ...]


class Tensor(Record, frozen=True, kw_only=True):
    """An input or output of the ONNX forms; a dimension is a size, or a name where it is free."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class Architecture(Record, frozen=True, kw_only=True):
    """Everything about a BERT encoder that its weights alone do not say."""

    kind: Literal["bert"] = "bert"
    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    norm_eps: float
    activation: Literal["gelu_tanh", "gelu_erf"]
    cased: bool


class SourceUsed(Record, frozen=True, kw_only=True):
    """Where the weights came from. ``tensors`` is the sha256 over the canonical tensors; ``override`` says that
    ``--source`` lifted the recipe's pins."""

    kind: str
    location: str
    format: str
    tensors: str
    override: bool = False


class Form(Record, frozen=True, kw_only=True):
    """A way to run the model: the members it needs, its precision, and how far a golden may be missed."""

    members: tuple[str, ...]
    precision: Literal["fp32", "fp16", "int8"]
    max_error: float | None = None
    min_cosine: float | None = None


class Manifest(Document, frozen=True, kw_only=True):
    """``manifest.json``, the first member of every artifact.

    ``files`` lists every other member in the order in which it lies in the zip, so its offset follows from the sizes
    before it. The prose fields feed the card. ``aliases`` begin with the NLU reference, ``languages`` are those of a
    model whose ``language`` is ``xx``, ``base_model`` is a Hugging Face repository that it is the same as or made from.
    """

    name: ModelName
    language: Lang
    library_version: str
    spark_version: str
    time: int
    title: str
    description: str
    annotator: Annotator
    task: str
    engine: str
    license: str
    author: str
    edition: str
    supported: bool
    recommended: bool = False
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    languages: tuple[str, ...] = ()
    base_model: str = ""
    data_source: str
    citation: str
    repository: str
    examples: tuple[str, ...]
    dimension: int
    max_length: int
    pooling: Pooling
    architecture: Architecture
    source: SourceUsed
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    forms: dict[str, Form]
    files: tuple[Member, ...]

    @property
    def artifact(self) -> ArtifactName:
        release = ReleaseId(Version.parse(self.library_version), Version.parse(self.spark_version), self.time)
        return ArtifactName(self.name, self.language, release)

    def member(self, name: str) -> Member:
        """The member of that name. Raises KeyError."""
        found = next((m for m in self.files if m.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


class Golden(Record, frozen=True, kw_only=True):
    """A text with what the float64 reference gives for it, rounded to 6 decimals.

    ``ids`` (tokens,), ``vector`` (hidden,) by the manifest's pooling, ``tokens`` (tokens, hidden) of the last layer.
    """

    text: str
    ids: tuple[int, ...]
    vector: tuple[float, ...]
    tokens: tuple[tuple[float, ...], ...]


class Goldens(Document, frozen=True, kw_only=True):
    """``golden.json``: replayed through the ONNX forms after every install; tolerances stand in ``Form``."""

    reference: str = "float64"
    goldens: tuple[Golden, ...]


# ---------------------------------------------------------------- the proof


class Distance(Record, frozen=True, kw_only=True):
    """How far one array lies from another: absolute errors and cosines over the real (unmasked) positions."""

    max: float
    p99: float
    mean: float
    min_cosine: float
    mean_cosine: float


class Point(Record, frozen=True, kw_only=True):
    """A place in the network where a form is compared: ``embeddings``, ``layer 1`` …, ``sequence``, ``pooled``.

    ``floor`` is what float32 rounding alone does there; ``limit`` what the gate allows; ``worst`` names the input
    that comes nearest to it or misses it by most. ``measure`` says which figure of the distance the limit is for.
    """

    name: str
    distance: Distance
    floor: float
    limit: float
    measure: Literal["max", "min_cosine", "mean_cosine"]
    worst: str
    passed: bool

    @property
    def met(self) -> bool:
        """Whether the figures keep the limit, whatever ``passed`` says; nan keeps none."""
        figure: float = getattr(self.distance, self.measure)
        return figure <= self.limit if self.measure == "max" else figure >= self.limit


class FormParity(Record, frozen=True, kw_only=True):
    """All points of one form. A form passes when every point does, by its flag and by its figures."""

    form: str
    points: tuple[Point, ...]

    @property
    def passed(self) -> bool:
        return bool(self.points) and all(point.passed and point.met for point in self.points)


class ParityReport(Record, frozen=True, kw_only=True):
    """The distance between every form and the source. ``oracle`` says what stood for the source."""

    oracle: str
    inputs: tuple[str, ...]
    tokens: int
    forms: tuple[FormParity, ...]

    @property
    def passed(self) -> bool:
        return bool(self.forms) and all(form.passed for form in self.forms)


OWN_TAB = "Python"
"""The tab of a card whose snippet runs the model by wellread itself."""


class Trial(Record, frozen=True, kw_only=True):
    """What became of one snippet of the card when it was run as it is printed; ``why`` it was not, or how it failed."""

    tab: str
    outcome: Literal["passed", "failed", "not run"]
    why: str = ""


class Result(Record, frozen=True, kw_only=True):
    """What the card's own snippet gave for an example: its words, and the first components of the vector of each,
    fp32, rounded to 6 decimals."""

    text: str
    words: tuple[str, ...]
    vectors: tuple[tuple[float, ...], ...]


class Benchmark(Record, frozen=True, kw_only=True):
    """How fast one form is on the proof's machine: ``size`` bytes of its members, ``load`` seconds to open it,
    ``speed`` tokens a second, with so many ``threads``."""

    form: str
    size: int
    load: float
    speed: float
    threads: int


class Proof(Document, frozen=True, kw_only=True):
    """What was measured about an artifact: the predicate of the statement in ``<artifact>.proof.json``."""

    artifact: str
    sha256: str
    manifest: str
    recipe: str
    source: str
    parity: ParityReport
    tools: dict[str, str]
    machine: dict[str, str]
    created: int
    trials: tuple[Trial, ...] = ()
    results: tuple[Result, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()


# ---------------------------------------------------------------- the hub


class Signature(Record, frozen=True, kw_only=True):
    """A signature over exact bytes: the key's id and the signature in base64."""

    keyid: str
    sig: str


State = Literal["ready", "yanked", "deprecated"]


class Release(Document, frozen=True, kw_only=True):
    """What a line of ``index/<2 hex>/<name>.jsonl`` says. Sizes in bytes; ``time`` in milliseconds; ``md5`` upper case.

    ``serial`` is the revision of the whole file at which this line was last written. A client remembers it for each
    release: a line that comes back with a lower one was rolled back, which the file's highest alone would not show.
    """

    id: str
    name: ModelName
    language: Lang
    folder: str
    library_version: str
    spark_version: str
    time: int
    annotator: str
    engine: str
    file: str
    size: int
    sha256: str
    md5: str
    manifest: str
    manifest_size: int
    forms: tuple[str, ...]
    serial: int
    state: State = "ready"
    why: str = ""

    @property
    def path(self) -> str:
        """Where the artifact lies, relative to the hub's root."""
        return f"{self.folder}/{self.file}"

    @property
    def foreign(self) -> bool:
        """Whether it is a zip of Spark NLP's, which has no manifest; such a one stands in no index."""
        return not self.manifest


class Alias(Document, frozen=True, kw_only=True):
    """``aliases/<2 hex>/<reference>.json``: what a reference such as ``en.embed.bert.small_L8_512`` stands for."""

    reference: str
    name: ModelName
    language: Lang


class CatalogEntry(Document, frozen=True, kw_only=True):
    """A line of ``catalog.jsonl``: enough to list, search and suggest a name.

    ``latest`` is the id of the release that is taken by default, ``title``, ``annotator`` and ``state`` are that one's;
    ``releases`` counts all that the name has in this language and folder.
    """

    name: ModelName
    language: Lang
    folder: str
    title: str
    annotator: str
    latest: str
    releases: int
    state: State = "ready"


class HubInfo(Document, frozen=True, kw_only=True):
    """``hub.json``: what a hub says of itself. ``ttl`` in seconds; ``notebooks`` is the GitHub folder that holds the
    models' notebooks, ``owner/repository/branch[/folder]``."""

    name: str
    ttl: int = 24 * 3600
    keys: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    site: str = ""
    notebooks: str = ""


T = TypeVar("T", bound=Record)


def encode(record: Record) -> bytes:
    """A record as one line of JSON, without a newline: the same record gives the same bytes."""
    return msgspec.json.encode(record)


def encode_pretty(record: Record) -> bytes:
    """A record as JSON for people to read, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


class _Stated(Record, frozen=True):
    format: int = 1


def is_later(raw: bytes | bytearray | memoryview) -> bool:
    """Whether a document says that it is of a format that only a later version reads."""
    try:
        return msgspec.json.decode(raw, type=_Stated).format > FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def decode(raw: bytes | bytearray | memoryview, kind: type[T], where: str) -> T:
    """Read a record of ``kind``; ``where`` names it in the error. Raises IntegrityError.

    A document of a later format is refused as that, whatever else does not fit.
    """
    try:
        record = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if issubclass(kind, Document) and is_later(raw):
            raise _too_new(where) from error
        raise IntegrityError(f"{where} is not a valid {kind.__name__}: {error}") from error
    stated = record.format if isinstance(record, Document) else FORMAT
    if stated > FORMAT:
        raise _too_new(where)
    if stated < 1:
        raise IntegrityError(f"{where} is not a valid {kind.__name__}: there is no format {stated}")
    return record


def _too_new(where: str) -> IntegrityError:
    return IntegrityError(f"{where} is of a later format than {FORMAT}, the last that this wellread reads: upgrade it")
