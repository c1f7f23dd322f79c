"""A model's folder, as the runtime opens it: the ONNX file of a form, and the tokenizer."""

from __future__ import annotations

from pathlib import Path

from wellread.errors import BadInput, IntegrityError, NotFound, near_misses
from wellread.registry.records import Manifest
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


def onnx_member(manifest: Manifest, form: str) -> str | None:
    """The name of the ONNX file of ``form``, None if it has none. Raises NotFound."""
    if form not in manifest.forms:
        known = sorted(manifest.forms)
        raise NotFound(
            f"{manifest.name} ({manifest.language}) has no form {form!r}.{near_misses(form, known)} "
            f"Available: {', '.join(known)}"
        )
    return next((member for member in manifest.forms[form].members if member.endswith(".onnx")), None)


def runnable_member(manifest: Manifest, form: str) -> str:
    """The name of the ONNX file of ``form``. Raises NotFound, and BadInput for a form that other libraries run."""
    member = onnx_member(manifest, form)
    if member is None:
        ours = [name for name in sorted(manifest.forms) if onnx_member(manifest, name)]
        raise BadInput(
            f"form {form!r} of {manifest.name} is not run by wellread: open the folder that wellread.fetch(…, "
            f"form={form!r}) returns with the library it is for. Run here: {', '.join(ours) or 'none'}"
        )
    return member
