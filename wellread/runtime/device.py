"""Where a model computes: the processor, or a graphics card through onnxruntime's CUDA provider.

    cpu                 the processor
    cuda, cuda:1        the first card, the second

onnxruntime falls back to the processor, and says so in its log only, where a card cannot be used. Here that is an
error. Products are computed in float32 on the card as well: its TF32 has 10 bits, and no fp32 form is proved with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wellread.errors import BadInput, MissingExtra

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
_DEVICE = re.compile(r"(?P<kind>cpu|cuda)(?::(?P<number>0|[1-9][0-9]{0,2}))?")
_INSTALL = (
    "pip uninstall onnxruntime, then pip install 'onnxruntime-gpu[cuda,cudnn]', which takes its place; or leave device "
    "out, for the processor"
)


class Device(NamedTuple):
    """``kind`` is cpu or cuda, ``number`` that of the card."""

    kind: str = "cpu"
    number: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.number}"


def parse_device(text: str) -> Device:
    """The device that a caller means. Raises BadInput."""
    found = _DEVICE.fullmatch(text)
    if not found or (found["kind"] == "cpu" and found["number"]):
        raise BadInput(f"device={text!r}: 'cpu', 'cuda' or a card by its number, such as 'cuda:1', is expected")
    return Device(found["kind"], int(found["number"] or 0))


def batch_positions(device: Device, threads: int) -> int:
    """How many positions to compute at once: what keeps the caches of the processor's cores, or all of a card, busy."""
    return _POSITIONS[device.kind](threads)


_POSITIONS: Mapping[str, Callable[[int], int]] = {
    "cpu": lambda threads: min(256 * max(threads, 2), 4096),
    "cuda": lambda threads: 16384,
}
"""Measured in docs/speed.md: on a processor, what a layer makes of 256 positions stays in a core's own cache."""


def providers(ort: Any, device: Device) -> list[Any]:
    """What to open a session with. Raises MissingExtra if the installed onnxruntime knows no such device."""
    if device.kind == "cpu":
        return [CPU]
    if CUDA not in ort.get_available_providers():
        raise MissingExtra(
            f"device={str(device)!r}: the onnxruntime installed here knows no graphics card.\n{_INSTALL}"
        )
    getattr(ort, "preload_dlls", lambda: None)()  # finds CUDA where pip has put it; from onnxruntime 1.21 on
    return [(CUDA, {"device_id": device.number, "use_tf32": 0}), CPU]


def check_used(session: Any, device: Device) -> None:
    """Raises MissingExtra if onnxruntime has taken the processor instead."""
    if device.kind == "cuda" and CUDA not in session.get_providers():
        raise MissingExtra(
            f"device={str(device)!r}: onnxruntime cannot use it. CUDA or cuDNN is missing or of another version, or "
            f"there is no such card: nvidia-smi lists the cards.\n{_INSTALL}"
        )
