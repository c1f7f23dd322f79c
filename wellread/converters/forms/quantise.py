"""The ``onnx-int8`` form: dynamic quantisation of the ``onnx`` form by onnxruntime.

Matrix products take int8 weights, one scale per output channel, and uint8 activations scaled at run time; the embedding
table is stored as int8 too, so the file is a quarter of the fp32 form.
"""

from __future__ import annotations

import logging
from pathlib import Path

from wellread.runtime.session import onnxruntime


def quantise(source: Path, target: Path) -> None:
    """Write the int8 form of the ONNX file ``source`` to ``target``; the same bytes give the same bytes."""
    onnxruntime()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    # It advises a preprocessing pass by a call of the root logger; that pass would fold nothing in this graph.
    level, root.level = root.level, logging.ERROR
    try:
        quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8)
    finally:
        root.level = level
