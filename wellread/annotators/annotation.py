"""What an annotator says of a stretch of a document: Spark NLP's annotation, field for field.

annotatorType  begin  end  result  metadata  embeddings
token              2    5  love    {sentence: 0}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["document", "token", "chunk", "word_embeddings", "sentence_embeddings"]
_NONE: NDArray[np.float32] = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """``result`` at the characters ``begin`` to ``end``, **inclusive** as Spark NLP counts, of the document.

    ``kind`` is Spark NLP's ``annotatorType``; ``embeddings`` is (hidden,) float32, or (0,) where there is no vector.
    """

    kind: Kind
    begin: int
    end: int
    result: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    embeddings: NDArray[np.float32] = field(default_factory=lambda: _NONE)
