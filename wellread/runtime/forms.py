"""Which forms of a model run here: those whose name begins with ``onnx``. Other libraries run the others.

The name alone says it, so that an index line suffices to refuse a form before anything of it is fetched.
"""

from __future__ import annotations

from collections.abc import Collection

from wellread.errors import BadInput, NotFound, near_misses
from wellread.registry.artifact.manifest import RUNNABLE

CHOSEN = ("auto", "fastest")
"""What a caller may name instead of a form."""


def runs_here(form: str) -> bool:
    """Whether a form of that name is for ``Model``."""
    return form.startswith(RUNNABLE)


def check_runnable(form: str, known: Collection[str], model: str) -> None:
    """Raises NotFound for a form that is not among those ``known`` of ``model``, BadInput for one not run here."""
    ours = ", ".join(sorted(filter(runs_here, known))) or "none"
    if form not in known:
        near = near_misses(form, [*known, *CHOSEN])
        raise NotFound(f"{model} has no form {form!r}.{near} Available: {', '.join(sorted(known))}. Run here: {ours}")
    if not runs_here(form):
        raise BadInput(
            f"form {form!r} of {model} is not run by wellread: open the folder that wellread.fetch(…, form={form!r}) "
            f"returns with the library it is for. Run here: {ours}"
        )
