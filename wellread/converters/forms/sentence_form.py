"""What sentence-transformers reads beside the ``torch`` form, so that it pools as wellread does.

    modules.json             Transformer → Pooling (→ Dense)
    1_Pooling/config.json    mean over the mask, or the vector of [CLS]
    2_Dense/                 the pooler, where the pooling is the pooler's output: linear, then tanh or nothing

The mean without ``[CLS]`` and ``[SEP]`` cannot be said in these files; such a model carries none of them.
"""

from __future__ import annotations

import json
from pathlib import Path

from wellread.converters.forms.tensor_file import write_tensors
from wellread.converters.weights import Weights
from wellread.registry.records import Pooling

_MODES = {"mean": "mean", "cls": "cls", "pooler": "cls", "pooler-linear": "cls"}
_ACTIVATIONS = {"pooler": "torch.nn.modules.activation.Tanh", "pooler-linear": "torch.nn.modules.linear.Identity"}
_MODULES = "sentence_transformers.models"


def write_sentence_transformers(folder: Path, weights: Weights, pooling: Pooling) -> tuple[str, ...]:
    """Write the files for ``pooling`` into ``folder`` and return their names, none where it cannot be expressed."""
    mode = _MODES.get(pooling)
    if mode is None:
        return ()
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    if pooling in _ACTIVATIONS:
        modules.append(("2_Dense", "Dense"))
        _write_dense(folder, weights, _ACTIVATIONS[pooling])
    _write_json(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"{_MODULES}.{kind}"} for i, (path, kind) in enumerate(modules)
    ])  # fmt: skip
    _write_json(folder / "1_Pooling/config.json", {
        "word_embedding_dimension": weights.architecture.hidden,
        "pooling_mode_cls_token": mode == "cls",
        "pooling_mode_mean_tokens": mode == "mean",
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    })  # fmt: skip
    dense = ("2_Dense/config.json", "2_Dense/model.safetensors") if pooling in _ACTIVATIONS else ()
    return ("modules.json", "1_Pooling/config.json", *dense)


def _write_dense(folder: Path, weights: Weights, activation: str) -> None:
    dense = {f"linear.{part}": weights.tensors[f"pooler.dense.{part}"] for part in ("weight", "bias")}
    write_tensors(folder / "2_Dense/model.safetensors", dense)
    hidden = weights.architecture.hidden
    described = {"in_features": hidden, "out_features": hidden, "bias": True, "activation_function": activation}
    _write_json(folder / "2_Dense/config.json", described)


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
