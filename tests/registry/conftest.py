"""S3, once a session; a bucket of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.s3 import S3, s3_server


@pytest.fixture(scope="session")
def s3_session() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_session: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The server, and the environment of one who may write into it."""
    s3_session.lead(monkeypatch)
    return s3_session


@pytest.fixture
def bucket(s3: S3) -> str:
    """The URL of a new bucket."""
    return s3.bucket()
