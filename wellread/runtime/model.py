"""A model that is open: texts in, vectors out.

A text becomes pieces (``tokenise``), the pieces become vectors (``session``), and those become

    sentence     one vector a text, by the pooling that the manifest names
    token        one vector a word, a word being a BasicTokenizer span in its original spelling

Texts run in batches of like length. Padding moves the last bits of a vector, so a text gives the same vector alone and
in company to about 1e-6; in ``onnx-int8``, whose activations are scaled by the batch they stand in, to its own error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, get_args, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from wellread.errors import BadInput, near_misses
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Manifest
from wellread.runtime.encoder import Encoder
from wellread.runtime.folder import onnx_member, open_tokeniser
from wellread.runtime.session import Session
from wellread.runtime.table import load_pandas, origins, sentence_table, token_table
from wellread.runtime.texts import listed
from wellread.runtime.token_vectors import TokenVectors, WordVector
from wellread.runtime.tokenise import Tokeniser
from wellread.runtime.windows import Long

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float32]
OutputLevel = Literal["sentence", "token"]
T = TypeVar("T")


class Options(TypedDict, total=False):
    """What ``encode`` and ``predict`` take besides texts and level; ``Model.encode`` says what each means."""

    normalize: bool
    long: Long
    word_vector: WordVector
    batch_size: int | None
    progress: bool | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model came from. ``reopen`` is a function that pickles, its arguments and its keyword arguments, which
    together give the same model again; ``place`` is a hub or a path, ``why`` what has led to its form."""

    reopen: tuple[Callable[..., Model], tuple[Any, ...], Mapping[str, Any]]
    place: str = ""
    why: str = "asked for by name"


class Model:
    """``manifest``'s model, run from ``folder`` in one of its forms.

    Any number of threads may share it; it survives a fork; it pickles as its origin, not as its weights. It takes
    ``threads`` cores, by default ``OMP_NUM_THREADS`` or all, or the graphics card that ``device`` names. Raises
    NotFound for a form that the model has not, BadInput for one that other libraries run or for a device that is none,
    MissingExtra for a device that cannot be had.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        form: str,
        origin: Origin | None = None,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.path = folder
        self.manifest = manifest
        self.form = form
        how = {"threads": threads, "device": device}
        self.origin = origin or Origin((Model, (folder, manifest, form), how), str(folder))
        self._session = Session(folder / onnx_member(manifest, form), threads, device)
        self._tokeniser = open_tokeniser(folder)
        self._session.open()  # now, while the files are the ones that were checked

    @property
    def name(self) -> ModelName:
        return self.manifest.name

    @property
    def language(self) -> Lang:
        return self.manifest.language

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self.manifest.dimension

    @overload
    def encode(
        self, texts: Iterable[str], *, output_level: Literal["sentence"] = "sentence", **options: Unpack[Options]
    ) -> Array: ...
    @overload
    def encode(  # type: ignore[overload-overlap]
        self, texts: str, *, output_level: Literal["token"], **options: Unpack[Options]
    ) -> TokenVectors: ...
    @overload
    def encode(
        self, texts: Iterable[str], *, output_level: Literal["token"], **options: Unpack[Options]
    ) -> list[TokenVectors]: ...
    def encode(
        self,
        texts: Iterable[str],
        *,
        output_level: OutputLevel = "sentence",
        normalize: bool = False,
        long: Long = "truncate",
        word_vector: WordVector = "first",
        batch_size: int | None = None,
        progress: bool | None = None,
    ) -> Array | TokenVectors | list[TokenVectors]:
        """The vectors of texts, float32, in the order of the texts.

        ``texts`` is a ``str`` or any ordered iterable of ``str``: a list, array, Series or generator. ``""`` gives the
        vector of ``[CLS][SEP]``.

        ``output_level="sentence"``: (hidden,) for a ``str``, (n, hidden) for n texts, (0, hidden) for none.
        ``output_level="token"``: ``TokenVectors`` for a ``str``, a list of them for texts.

        ``normalize`` scales every vector to length 1.
        ``long`` says what happens to a text of more pieces than the model takes. ``truncate`` reads its beginning and
        warns once a call; words whose first piece is past the limit are not returned. ``window`` reads all of it in
        overlapping windows: a piece counts in the window where it has most context, and the vector of the text is the
        mean over all pieces, or for a pooling by ``[CLS]`` the mean of the windows, each weighed by the pieces that
        count in it. ``error`` refuses it.
        ``word_vector`` takes a word's ``first`` piece, as Spark NLP does, or the ``mean`` of its pieces.
        ``batch_size`` bounds the texts run together, which are bounded to so many pieces as ``info()["batch"]`` says.
        ``progress`` shows a bar; None shows it after two seconds, on a terminal or in a notebook.

        Raises BadInput for what is no text or no option, IntegrityError if the model's files are damaged.
        """
        run = _Run(self, output_level, normalize, long, word_vector, batch_size, progress)
        found = run.on(listed(texts))
        run.warn_of_shortened()
        return found[0] if isinstance(texts, str) else found

    def predict(
        self,
        texts: Iterable[str],
        output_level: OutputLevel = "token",
        *,
        normalize: bool = False,
        long: Long = "truncate",
        word_vector: WordVector = "first",
        batch_size: int | None = None,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """The vectors of texts as a table: a row a word, or a row a text for ``output_level="sentence"``.

        Columns: ``origin_index, token, begin, end, embeddings`` or ``origin_index, sentence, embeddings``. The
        ``origin_index`` is the position of the text, or its label if ``texts`` is a Series. The options and what is
        raised are those of ``encode``; MissingExtra without pandas.
        """
        run = _Run(self, output_level, normalize, long, word_vector, batch_size, progress)
        load_pandas()
        labels, texts = origins(texts), listed(texts)
        found = run.on(texts)
        run.warn_of_shortened()
        return token_table(found, labels) if isinstance(found, list) else sentence_table(texts, found, labels)

    @property
    def tokeniser(self) -> Tokeniser:
        """What makes ids of texts."""
        return self._tokeniser

    def states(
        self, sequences: Sequence[NDArray[np.int64]], batch_size: int | None = None
    ) -> Iterator[tuple[int, Array]]:
        """The last hidden layer of sequences of ids: (number of the sequence, (tokens, hidden)), longest first.

        Each sequence is (tokens,) int64 with its special tokens, and no longer than the model takes.
        """
        return Encoder(self._session, self._tokeniser, self.manifest, "error", batch_size, False).states(sequences)

    def encoder(self, tokeniser: Tokeniser, max_length: int, batch_size: int | None = None) -> Encoder:
        """A way through this model for one call: texts as another ``tokeniser`` reads them, cut off at ``max_length``
        pieces, which the model must take. Its ``shortened`` says which were."""
        manifest = msgspec.structs.replace(self.manifest, max_length=max_length)
        return Encoder(self._session, tokeniser, manifest, "truncate", batch_size, False)

    def info(self) -> dict[str, Any]:
        """What this model is and how it runs here: ``why`` it is this form, and ``batch``, the pieces run together."""
        return {
            "name": self.name,
            "language": self.language,
            "id": str(self.manifest.artifact.release),
            "form": self.form,
            "why": self.origin.why,
            "precision": self.manifest.forms[self.form].precision,
            "dimension": self.dimension,
            "max_length": self.manifest.max_length,
            "pooling": self.manifest.pooling,
            "device": str(self._session.device),
            "threads": self._session.threads,
            "batch": self._session.positions,
            "from": self.origin.place,
            "path": str(self.path),
        }

    def close(self) -> None:
        """Give the memory of the weights back; a later call opens them again, unless they have changed since."""
        self._session.close()

    def __repr__(self) -> str:
        release = self.manifest.artifact.release
        return f"<Model {self.name} ({self.language}) {release}: {self.form}, {self.dimension} dimensions>"

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        function, arguments, options = self.origin.reopen
        return _reopen, (function, arguments, dict(options))


def _reopen(function: Callable[..., Model], arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Model:
    return function(*arguments, **options)


@dataclass(slots=True)
class _Run:
    """One call of ``encode`` or ``predict``, its options checked as it is made."""

    model: Model
    output_level: OutputLevel
    normalize: bool
    long: Long
    word_vector: WordVector
    batch_size: int | None
    progress: bool | None
    _encoder: Encoder = field(init=False)

    def __post_init__(self) -> None:
        _one_of("output_level", self.output_level, OutputLevel)
        _one_of("long", self.long, Long)
        _one_of("word_vector", self.word_vector, WordVector)
        size = self.batch_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise BadInput(f"batch_size={size!r}: a whole number of at least 1 is expected, or None")
        model = self.model
        self._encoder = Encoder(
            model._session, model._tokeniser, model.manifest, self.long, self.batch_size, self.progress
        )

    def on(self, texts: list[str]) -> Array | list[TokenVectors]:
        if self.output_level == "sentence":
            return self._scaled(self._encoder.sentences(texts))
        found = self._encoder.tokens(texts, self.word_vector)
        return [TokenVectors(one.words, one.begin, one.end, self._scaled(one.vectors)) for one in found]

    def warn_of_shortened(self) -> None:
        """One warning, attributed to the line that called ``encode`` or ``predict``."""
        if shortened := self._encoder.shortened:
            index, pieces = shortened[0]
            many = f"{len(shortened)} texts are" if shortened[1:] else "1 text is"
            warnings.warn(
                f"{many} longer than the {self.model.manifest.max_length} pieces that {self.model.name} takes, and cut "
                f"off there; the first is text {index} with {pieces}. long='window' reads all, long='error' refuses",
                stacklevel=3,
            )

    def _scaled(self, vectors: Array) -> Array:
        if not self.normalize:
            return vectors
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        unit: Array = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return unit


def _one_of(name: str, value: object, kind: Any) -> None:
    known = get_args(kind)
    if value not in known:
        hint = near_misses(str(value), known)
        raise BadInput(f"{name}={value!r} is not one of {', '.join(map(repr, known))}.{hint}")
