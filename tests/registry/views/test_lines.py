"""Lines out of chunks of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.errors import IntegrityError
from wellread.registry.hub.index import joined
from wellread.registry.views.lines import split


@given(st.lists(st.binary(max_size=5) | st.sampled_from([b"\n", b"\n\n", b" \n", b"ab\n"])))
def test_chunks_make_no_difference(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    assert list(split(chunks, "here")) == [line for line in whole.split(b"\n") if line.strip()]
    assert list(split([joined(split(chunks, "here"))], "here")) == list(split([whole], "here"))


def test_a_line_without_an_end_is_no_hub_s() -> None:
    with pytest.raises(IntegrityError, match="here has a line of more than 1048576 bytes"):
        list(split((b"x" * 20_000 for _ in range(100)), "here"))
