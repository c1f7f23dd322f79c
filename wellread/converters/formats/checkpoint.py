"""A checkpoint as google-research/bert releases it: one bundle, ``bert_config.json``, ``vocab.txt``.

It brings no graph. What that code does is therefore stated here: its layer norm has epsilon 1e-12 always
(modeling.py, ``layer_norm``), and its ``gelu`` is the tanh approximation (see configuration.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wellread.converters.formats.claims import Claim, Rank
from wellread.converters.formats.configuration import case_claims, google_claims
from wellread.converters.formats.contents import Contents, bundle_tensors
from wellread.converters.formats.tensor_bundle import TensorBundle
from wellread.errors import BadInput, CorruptSource

_NORM_EPS = Claim("norm_eps", 1e-12, "the code of google-research/bert", Rank.STATED)


def read_checkpoint(folder: Path) -> Contents:
    """What the folder's one checkpoint holds, whatever its prefix. Raises CorruptSource, BadInput."""
    tensors = bundle_tensors(TensorBundle(_prefix(folder)))

    def claims(hidden: int) -> Sequence[Claim]:
        return [*google_claims(folder), _NORM_EPS, *case_claims(folder)]

    return Contents("tf1-checkpoint", tensors, claims)


def _prefix(folder: Path) -> Path:
    prefixes = sorted(path.with_suffix("") for path in folder.glob("*.index"))
    if len(prefixes) > 1:
        raise BadInput(
            f"{folder} has several checkpoints: {', '.join(p.name for p in prefixes)}. Leave one in the folder"
        )
    if not prefixes:
        shard = next(folder.glob("*.data-?????-of-?????"))
        raise CorruptSource(f"{folder} has {shard.name} but no {shard.stem}.index. Fetch the source again")
    return prefixes[0]
