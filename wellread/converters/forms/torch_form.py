"""The ``torch`` form: ``config.json`` and ``model.safetensors`` as ``transformers`` writes them for ``BertModel``.

``transformers.AutoModel.from_pretrained(folder)`` opens it as it is. Writing needs safetensors only; running it, which
parity does, needs torch and transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from wellread.converters.forms.tensor_file import write_tensors
from wellread.converters.parity.probes import Activations, Probe
from wellread.converters.weights import Weights
from wellread.errors import missing_extra

HIDDEN_ACT = {"gelu_tanh": "gelu_pytorch_tanh", "gelu_erf": "gelu"}


def write_config(folder: Path, weights: Weights) -> None:
    """Write ``config.json`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(configuration(weights), indent=2, sort_keys=True)
    (folder / "config.json").write_text(config + "\n", encoding="utf-8")


def write_torch(folder: Path, weights: Weights) -> None:
    """Write ``config.json`` and ``model.safetensors`` into ``folder``; the same weights give the same bytes."""
    write_config(folder, weights)
    write_tensors(folder / "model.safetensors", weights.tensors)


def configuration(weights: Weights) -> dict[str, Any]:
    """What is known of the weights in the words of transformers' ``BertConfig``."""
    architecture = weights.architecture
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": HIDDEN_ACT[architecture.activation],
        "hidden_size": architecture.hidden,
        "intermediate_size": architecture.intermediate,
        "layer_norm_eps": architecture.norm_eps,
        "max_position_embeddings": architecture.positions,
        "num_attention_heads": architecture.heads,
        "num_hidden_layers": architecture.layers,
        "pad_token_id": weights.vocabulary.split(b"\n").index(b"[PAD]"),
        "dtype": "float32",
        "type_vocab_size": architecture.types,
        "vocab_size": architecture.vocabulary,
    }


def run_torch(folder: Path, probes: Iterable[Probe]) -> Iterator[Activations]:
    """Run the form as a user of transformers would, attention kernel included. Raises MissingExtra."""
    try:
        import torch
        from transformers import AutoModel
    except ImportError as error:
        raise missing_extra(error.name or "transformers", "press") from error
    model = _quietly(lambda: AutoModel.from_pretrained(folder, local_files_only=True)).eval()
    for probe in probes:
        with torch.inference_mode():
            out = model(
                input_ids=torch.from_numpy(probe.ids),
                attention_mask=torch.from_numpy(probe.mask),
                token_type_ids=torch.from_numpy(probe.types),
                output_hidden_states=True,
            )
        embeddings, *layers = (hidden.numpy() for hidden in out.hidden_states)
        inner = {f"layer {i}": layer for i, layer in enumerate(layers, start=1)}
        yield {
            "embeddings": embeddings,
            **inner,
            "sequence": out.last_hidden_state.numpy(),
            "pooled": out.pooler_output.numpy(),
        }


def _quietly(load: Callable[[], Any]) -> Any:
    """Run ``load`` without transformers' own progress bar, which it shows in pipes too."""
    from transformers.utils import logging

    if not logging.is_progress_bar_enabled():
        return load()
    logging.disable_progress_bar()
    try:
        return load()
    finally:
        logging.enable_progress_bar()
