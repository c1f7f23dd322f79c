"""Ways of making sentence vectors of texts, each in a process of its own.

    python -m benchmarks.encode_contenders NAME MATERIAL.json TEXTS.json

All read the same weights and pool by the mean over all pieces. Libraries that have an ``encode`` of their own get the
texts as they come; for the others texts are sorted by length and run 32 at a time, padded to the longest of the batch,
which is what their manuals show. Only numpy and the standard library are imported here before a contender is chosen:
some run in another virtual environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.players import Absent, peak_memory, play

Array = Any
Texts = Sequence[str]
Encode = Callable[[Texts], Array]
Forward = Callable[[Array, Array], Array]
"""ids and mask, (batch, tokens) int64 → the last hidden layer, (batch, tokens, hidden)."""
Material = dict[str, Any]
BATCH = 32


@dataclass(frozen=True)
class Contender:
    """``make`` opens the model; ``peer`` is the virtual environment of benchmarks/peers.py that it runs in."""

    make: Callable[[Material], Encode]
    kind: str = "peer"
    peer: str = ""


# ---------------------------------------------------------------- wellread


def _wellread(form: str) -> Callable[[Material], Encode]:
    def make(of: Material) -> Encode:
        os.environ["WELLREAD_HOME"] = of["home"]
        import wellread

        model = wellread.pretrained(of["name"], "en", hub=of["hub"], form=form)
        return lambda texts: model.encode(texts, progress=False)

    return make


# ---------------------------------------------------------------- whoever needs batches made


def _batched(of: Material, forward: Forward, by_length: bool = True) -> Encode:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{of['folder']}/tokenizer.json")
    tokenizer.no_padding()

    def encode(texts: Texts) -> Array:
        ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i])) if by_length else list(range(len(ids)))
        vectors = np.empty((len(ids), of["dimension"]), np.float32)
        for rows in _parts(order):
            padded, mask = _padded([ids[i] for i in rows])
            vectors[rows] = _mean(forward(padded, mask), mask)
        return vectors

    return encode


def _parts(order: list[int]) -> Iterator[list[int]]:
    return (order[at : at + BATCH] for at in range(0, len(order), BATCH))


def _padded(rows: list[list[int]]) -> tuple[Array, Array]:
    lengths = np.array([len(row) for row in rows])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.zeros_like(mask)
    ids[mask > 0] = np.concatenate(rows)
    return ids, mask


def _mean(states: Array, mask: Array) -> Array:
    weights = (mask / mask.sum(1, keepdims=True)).astype(np.float32)
    return (weights[:, None, :] @ states)[:, 0]


def _onnxruntime(file: str, by_length: bool = True) -> Callable[[Material], Encode]:
    def make(of: Material) -> Encode:
        import onnxruntime

        session = onnxruntime.InferenceSession(f"{of['folder']}/{file}", providers=["CPUExecutionProvider"])

        def forward(ids: Array, mask: Array) -> Array:
            feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            return session.run(["last_hidden_state"], feeds)[0]

        return _batched(of, forward, by_length)

    return make


def _torch(compiled: bool) -> Callable[[Material], Encode]:
    def make(of: Material) -> Encode:
        import torch
        from transformers import AutoModel

        model = AutoModel.from_pretrained(of["folder"], attn_implementation="sdpa").eval()
        run = torch.compile(model, dynamic=True) if compiled else model

        def forward(ids: Array, mask: Array) -> Array:
            with torch.inference_mode():
                found = run(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
            return found.last_hidden_state.numpy()

        return _batched(of, forward)

    return make


def _tensorflow(of: Material) -> Encode:
    if not of["source"]:
        raise Absent("its source is a Hugging Face model: there is no graph that TensorFlow could call")
    import tensorflow as tf

    model = tf.saved_model.load(of["source"])

    def forward(ids: Array, mask: Array) -> Array:
        three = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}
        fed = {name: tf.constant(array, tf.int32) for name, array in three.items()}
        return model(fed, training=False)["sequence_output"].numpy()

    return _batched(of, forward)


# ---------------------------------------------------------------- libraries with an encode of their own


def _sentence_transformers(backend: str, **options: object) -> Callable[[Material], Encode]:
    def make(of: Material) -> Encode:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(of["folder"], device="cpu", backend=backend, model_kwargs=options)
        return lambda texts: model.encode(list(texts), batch_size=BATCH, show_progress_bar=False)

    return make


def _fastembed(of: Material) -> Encode:
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    named = f"bench/{of['name']}"
    TextEmbedding.add_custom_model(
        named, pooling=PoolingType.MEAN, normalization=False, sources=ModelSource(hf=named), dim=of["dimension"]
    )
    model = TextEmbedding(named, specific_model_path=of["folder"])
    return lambda texts: np.stack(list(model.embed(list(texts), batch_size=BATCH)))


CONTENDERS = {
    "wellread, int8": Contender(_wellread("onnx-int8"), "ours"),
    "wellread, fp32": Contender(_wellread("onnx"), "ours"),
    "onnxruntime by length": Contender(_onnxruntime("onnx/model.onnx"), "base"),
    "onnxruntime as they come": Contender(_onnxruntime("onnx/model.onnx", by_length=False)),
    "onnxruntime by length, int8": Contender(_onnxruntime("onnx/model_int8.onnx")),
    "sentence-transformers, ONNX": Contender(
        _sentence_transformers("onnx", provider="CPUExecutionProvider", file_name="onnx/model.onnx"), peer="optimum"
    ),
    "sentence-transformers, torch": Contender(_sentence_transformers("torch")),
    "transformers, sdpa": Contender(_torch(compiled=False)),
    "transformers, torch.compile": Contender(_torch(compiled=True)),
    "fastembed": Contender(_fastembed, peer="fastembed"),
    "TensorFlow, source called": Contender(_tensorflow),
}


def prepare(name: str, of: Material, texts: Texts) -> dict[str, Callable[..., object]]:
    encode = CONTENDERS[name].make(of)

    def vectors(path: str) -> None:
        np.save(path, np.asarray(encode(texts), np.float32))

    def run() -> float:
        started = time.perf_counter()
        encode(texts)
        return time.perf_counter() - started

    def one(times: int) -> float:
        """Median seconds of one sentence of middling length, alone."""
        alone = [sorted(texts, key=len)[len(texts) // 2]]
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            encode(alone)
            taken.append(time.perf_counter() - started)
        return float(np.median(taken))

    return {"vectors": vectors, "run": run, "one": one, "memory": peak_memory}


if __name__ == "__main__":
    read = [json.loads(Path(path).read_bytes()) for path in sys.argv[2:]]
    play(lambda: prepare(sys.argv[1], *read))
