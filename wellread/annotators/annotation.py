"""What an annotator says of a stretch of a document: Spark NLP's annotation, field for field.

annotatorType  begin  end  result  metadata  embeddings
token              2    5  love    {sentence: 0}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Kind = Literal["document", "token", "chunk", "word_embeddings", "sentence_embeddings"]
_NOTHING: Mapping[str, str] = {}
_NONE: NDArray[np.float32] = np.empty(0, np.float32)


class Annotation(NamedTuple):
    """``result`` at the characters ``begin`` to ``end``, **inclusive** as Spark NLP counts, of the document.

    ``kind`` is Spark NLP's ``annotatorType``; ``embeddings`` is (hidden,) float32, or (0,) where there is no vector.
    A tuple, for a text has one for every word, and nothing is made faster.
    """

    kind: Kind
    begin: int
    end: int
    result: str
    metadata: Mapping[str, str] = _NOTHING
    embeddings: NDArray[np.float32] = _NONE
