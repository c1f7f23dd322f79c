"""The proof that an artifact carries with it: ``golden.json``, replayed where the model will run.

Each golden is a text with its ids and with what the float64 reference computes for them. Replaying it on this very
machine shows a damaged file, a tokenizer that reads otherwise, and a processor on which a form goes wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellread.errors import IntegrityError
from wellread.registry.records import Form, Golden, Goldens, Manifest, decode
from wellread.runtime.folder import onnx_member, open_tokeniser
from wellread.runtime.forms import runs_here
from wellread.runtime.pooling import POOLINGS
from wellread.runtime.session import Session
from wellread.runtime.tokenise import Tokeniser

FILE = "golden.json"


def replay(folder: Path, manifest: Manifest, form: str, device: str = "cpu") -> None:
    """Check ``form``, opened from ``folder``, against the goldens; a form that other libraries run passes unchecked.

    The allowed maximum absolute error and minimum cosine (each that is given) stand in the manifest's ``Form``. Raises
    IntegrityError, naming form, text, the measured figure and the allowed one; NotFound for an unknown form, and
    MissingExtra for a ``device`` that cannot be had.
    """
    if form in manifest.forms and not runs_here(form):
        return
    member = onnx_member(manifest, form)
    goldens = read_goldens(folder)
    _check_ids(open_tokeniser(folder), goldens, folder)
    session, tolerance = Session(folder / member, device=device), manifest.forms[form]
    if tolerance.max_error is None and tolerance.min_cosine is None:
        raise IntegrityError(f"the manifest in {folder} gives no tolerance for form {form!r}: nothing proves it")
    for golden in goldens:
        for what, found, expected in _answers(session, manifest, golden):
            _check(_Place(form, golden.text, what, folder), found, expected, tolerance)


def read_goldens(folder: Path) -> tuple[Golden, ...]:
    """The goldens of a model's folder, at least one. Raises IntegrityError."""
    path = folder / FILE
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}. Delete {folder} and load it again") from error
    goldens = decode(raw, Goldens, str(path)).goldens
    if not goldens:
        raise IntegrityError(f"{path} holds no golden: nothing proves this model. Build it again")
    return goldens


@dataclass(frozen=True, slots=True)
class _Place:
    form: str
    text: str
    what: str
    folder: Path

    def miss(self, measured: str) -> IntegrityError:
        return IntegrityError(
            f"form {self.form!r} in {self.folder} misses a golden: the {self.what} of {self.text[:60]!r} {measured}.\n"
            "It does not compute here what was certified. Load another form, or the model again"
        )


def _check_ids(tokeniser: Tokeniser, goldens: tuple[Golden, ...], folder: Path) -> None:
    for golden, found in zip(goldens, tokeniser([golden.text for golden in goldens]), strict=True):
        if found.ids.tolist() != list(golden.ids):
            raise IntegrityError(
                f"the tokenizer in {folder} reads {golden.text[:60]!r} as {_shown(found.ids)}, its golden as "
                f"{_shown(golden.ids)}.\nThe files do not belong together. Delete the folder and load the model again"
            )


def _shown(ids: ArrayLike) -> str:
    return np.array2string(np.asarray(ids), threshold=12, separator=",").replace("\n", "")


def _answers(
    session: Session, manifest: Manifest, golden: Golden
) -> tuple[tuple[str, NDArray[np.float32], ArrayLike], ...]:
    pool = POOLINGS[manifest.pooling]
    ids = np.array([golden.ids], np.int64)
    outputs = dict.fromkeys(("last_hidden_state", pool.output))
    states = dict(zip(outputs, session.run(ids, np.ones_like(ids), np.zeros_like(ids), list(outputs)), strict=True))
    edge = 0 if pool.specials or ids.size == 2 else 1
    vector = pool.reduce(states[pool.output], np.array([edge]), np.array([ids.size - edge]))
    return ("vector", vector, [golden.vector]), ("token vectors", states["last_hidden_state"][0], golden.tokens)


def _check(place: _Place, found: NDArray[np.float32], expected: ArrayLike, tolerance: Form) -> None:
    right, measured = np.asarray(expected, np.float64), found.astype(np.float64)
    if right.shape != measured.shape:
        raise place.miss(f"is of shape {measured.shape}, expected is {right.shape}")
    error = float(np.abs(measured - right).max())
    # Written so that nan, which compares as false, is a miss.
    if tolerance.max_error is not None and not error <= tolerance.max_error:
        raise place.miss(f"is off by {error:.2e}, allowed are {tolerance.max_error:.2e}")
    cosine = _cosines(measured, right)
    if tolerance.min_cosine is not None and not cosine >= tolerance.min_cosine:
        raise place.miss(f"has cosine {cosine:.6f}, at least {tolerance.min_cosine:.6f} is asked")


def _cosines(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The least cosine between rows of the same number."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return float(((one * other).sum(axis=-1) / np.maximum(lengths, np.finfo(np.float64).tiny)).min())
