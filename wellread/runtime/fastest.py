"""Which form is the fastest that may run here: what ``form="fastest"`` stands for.

int8 where the processor multiplies four 8-bit numbers in one step (x86 calls it VNNI, ARM the dot product), where the
release has such a form, and where that form hits the release's goldens on this very machine. In all other cases fp32:
without these instructions int8 is hardly faster, and on a graphics card it is not run.

It differs from machine to machine, and so do its vectors. Whoever hands a model on names the form that was chosen.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from wellread.errors import IntegrityError
from wellread.runtime.device import Device

FASTEST = "fastest"
EXACT, SMALL = "onnx", "onnx-int8"

_CPUINFO = Path("/proc/cpuinfo")
_INSTRUCTIONS: Mapping[str, str] = {
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "asimddp": "the ARM dot product",
}
"""As Linux spells them in ``/proc/cpuinfo`` → as people do."""
_NUMPY: Mapping[str, str] = {"AVX512VNNI": "avx512_vnni", "AVX512_CLX": "avx512_vnni", "ASIMDDP": "asimddp"}
"""As numpy spells what it has asked the processor for, where there is no ``/proc/cpuinfo``."""

T = TypeVar("T")


class Choice(NamedTuple):
    """A form, and ``why`` it is that one, in a clause."""

    form: str
    why: str


def named(form: str) -> Choice:
    """A form that was not chosen here."""
    return Choice(form, "what auto stands for, on every machine" if form == EXACT else "asked for by name")


def choose(forms: Collection[str], device: Device) -> Choice:
    """The form to try first, of those that a release has."""
    if device.kind != "cpu":
        return Choice(EXACT, f"fastest: {device} runs fp32")
    if SMALL not in forms:
        return Choice(EXACT, f"fastest: the release has no {SMALL}")
    instruction = int8_instruction()
    if instruction is None:
        return Choice(EXACT, "fastest: this processor has no instructions for int8 (VNNI) that are known here")
    return Choice(SMALL, f"fastest: this processor has {instruction}, and the form hits its goldens here")


def fastest(forms: Collection[str], device: Device, bring: Callable[[str], T]) -> tuple[T, Choice]:
    """What ``bring(form)`` gives for the fastest form. Raises what it raises for fp32.

    ``bring`` proves what it brings. Where it raises IntegrityError for int8, fp32 takes its place.
    """
    choice = choose(forms, device)
    if choice.form == EXACT:
        return bring(EXACT), choice
    try:
        return bring(choice.form), choice
    except IntegrityError as error:
        reason = str(error).partition("\n")[0]
    return bring(EXACT), Choice(EXACT, f"fastest: {SMALL} is not to be used here: {reason}")


def int8_instruction() -> str | None:
    """What this processor has for products of int8, in words; None where it has nothing, or nobody can tell."""
    features = _features()
    return next((words for name, words in _INSTRUCTIONS.items() if name in features), None)


def _features() -> Collection[str]:
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        return _told_by_numpy()
    said = (line.partition(":")[2] for line in lines if re.match(r"(flags|Features)\s*:", line))
    return set(next(said, "").split())


def _told_by_numpy() -> Collection[str]:
    """numpy asks the processor itself, on every system. Where it keeps the answer may change with a version."""
    try:
        core = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        return set()
    found: Mapping[str, bool] = getattr(core, "__cpu_features__", {})
    return {name for theirs, name in _NUMPY.items() if found.get(theirs)}
