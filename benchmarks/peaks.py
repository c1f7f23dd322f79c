"""What the machine can multiply at best, in fp32 and in int8: the yardstick of encode's speed.

    python -m benchmarks.peaks

The best of several shapes, by the BLAS of numpy and by onnxruntime's own kernels (MatMul, MatMulInteger with the
weights as a constant, as they are in a model). A product of (m, k) and (k, n) counts 2·m·k·n operations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.players import play

SHAPES = ((1024, 384, 1536), (1024, 1536, 384), (1024, 512, 2048), (2048, 2048, 2048))
SECONDS = 0.15
"""How long one shape is repeated."""

Product = Callable[[], object]


def operations(layers: int, hidden: int, intermediate: int, tokens: int) -> float:
    """What a BERT computes for one text of so many tokens, nothing padded: the matrix products of its layers.

    Four square products for attention, two for the wide layer, and tokens² · hidden twice for scores and mixing.
    """
    dense = 4 * hidden**2 + 2 * hidden * intermediate
    return 2.0 * layers * tokens * (dense + 2 * tokens * hidden)


def products() -> dict[str, list[tuple[float, Product]]]:
    """Precision → (operations, how to do them once)."""
    random = np.random.default_rng(0)
    found: dict[str, list[tuple[float, Product]]] = {"fp32": [], "int8": []}
    for m, k, n in SHAPES:
        count = 2.0 * m * k * n
        left, right = random.random((m, k), np.float32), random.random((k, n), np.float32)
        found["fp32"] += [(count, lambda left=left, right=right: left @ right)]  # type: ignore[misc]
        found["fp32"] += [(count, _kernel("MatMul", left, right))]
        small = random.integers(0, 100, (m, k), np.uint8), random.integers(-50, 50, (k, n), np.int8)
        found["int8"] += [(count, _kernel("MatMulInteger", *small))]
    return found


def _kernel(name: str, left: Any, right: Any) -> Product:
    import onnx
    import onnxruntime

    kinds = {np.dtype("uint8"): onnx.TensorProto.UINT8, np.dtype("float32"): onnx.TensorProto.FLOAT}
    result = onnx.TensorProto.INT32 if name == "MatMulInteger" else onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(name, ["left", "right"], ["product"])],
        name,
        [onnx.helper.make_tensor_value_info("left", kinds[left.dtype], left.shape)],
        [onnx.helper.make_tensor_value_info("product", result, (left.shape[0], right.shape[1]))],
        [onnx.numpy_helper.from_array(right, "right")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"left": left})


def best(candidates: list[tuple[float, Product]]) -> float:
    """Operations a second, of the fastest."""
    return max(count / _seconds(product) for count, product in candidates)


def _seconds(product: Product) -> float:
    """The mean of one product, repeated for a moment."""
    product()
    started, times = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < SECONDS:
        product()
        times += 1
    return passed / times


def prepare() -> Mapping[str, Callable[..., object]]:
    known = products()
    return {"run": lambda: {precision: best(candidates) for precision, candidates in known.items()}}


if __name__ == "__main__":
    play(prepare)
