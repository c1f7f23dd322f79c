"""A home of one's own, and keys in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellread.registry.trust.keys import Key, new_key


@pytest.fixture
def key(home: Path) -> Key:
    return new_key()[0]


@pytest.fixture
def other(home: Path) -> Key:
    return new_key("other")[0]
