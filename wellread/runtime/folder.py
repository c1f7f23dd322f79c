"""A model's folder, as the runtime opens it: the ONNX file of a form, and the tokenizer."""

from __future__ import annotations

from pathlib import Path

from wellread.errors import IntegrityError
from wellread.registry.records import Manifest
from wellread.runtime.forms import check_runnable
from wellread.runtime.tokenise import Tokeniser

TOKENIZER = "tokenizer.json"


def open_tokeniser(folder: Path) -> Tokeniser:
    """The tokeniser of the model in ``folder``. Raises IntegrityError."""
    try:
        return Tokeniser(folder / TOKENIZER)
    except OSError as error:
        raise IntegrityError(
            f"{folder / TOKENIZER} cannot be read: {error.strerror}. Delete {folder} and load the model again"
        ) from error


def onnx_member(manifest: Manifest, form: str) -> str:
    """The name of the ONNX file of ``form``. Raises NotFound, BadInput for a form not run here, IntegrityError."""
    check_runnable(form, manifest.forms, f"{manifest.name} ({manifest.language})")
    for member in manifest.forms[form].members:
        if member.endswith(".onnx"):
            return member
    raise IntegrityError(f"form {form!r} of {manifest.artifact} names no ONNX file. Build it again")
