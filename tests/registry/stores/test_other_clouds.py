"""Buckets of Google's and Azure's stores: read, written under their conditions, and what is said when that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.s3 import Service, refused, service
from tests.fixtures.web_server import Answer
from wellread.errors import HubUnavailable, Interrupted
from wellread.registry.stores import open_store, read


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that knows one object, as Google's and Azure's stores tell of it."""
    headers = {
        "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT",
        "ETag": '"tag"',
        "x-goog-generation": "1234567890",
        "x-ms-version": "2023-11-03",
    }
    with service() as running:
        for path in ("/hub/a%2Fkey", "/account/hub/a/key"):
            running.answers[path] = Answer(b"data", headers=headers)
        running.answers["/account/none/key"] = Answer(refused("ContainerNotFound"), 404)
        monkeypatch.setenv("GOOGLE_BASE_URL", running.url)
        monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "hush-hush")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{running.url}/account")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "aHVzaC1odXNo")
        yield running


OTHERS = [
    ("gs://hub/a", '"tag" 1234567890', {"x-goog-if-generation-match": "1234567890"}),
    ("az://hub/a", '"tag"', {"If-Match": '"tag"'}),
]


@pytest.mark.parametrize(("url", "etag", "condition"), OTHERS)
def test_the_other_services_are_read_and_asked_for_the_version_seen(
    elsewhere: Service, url: str, etag: str, condition: dict[str, str]
) -> None:
    store = open_store(url)
    assert read(store, "key") == (b"data", etag)
    assert store.head("missing") is None
    assert store.get_range("missing") is None
    assert store.put_if("key", b"new", etag)
    method, _, headers = elsewhere.asked[-1]
    assert (method, {name: headers[name] for name in condition}) == ("PUT", condition)


@pytest.mark.parametrize(
    ("path", "code", "there"), [("key", "BlobAlreadyExists", True), ("key", "LeaseIdMissing", False)]
)
def test_azure_calls_what_exists_a_conflict(elsewhere: Service, path: str, code: str, there: bool) -> None:
    elsewhere.answers["/account/hub/key"] = Answer(refused(code), 409)
    store = open_store("az://hub")
    if there:
        assert not store.put_new("key", b"")
    else:
        with pytest.raises(Interrupted, match=f"Azure is busy .409 {code}"):
            store.put_new("key", b"")


def test_a_version_that_is_gone_is_a_lost_race(elsewhere: Service) -> None:
    elsewhere.answers["/account/hub/key"] = Answer(refused("BlobNotFound"), 404)
    assert not open_store("az://hub").put_if("key", b"", '"tag"')


def test_a_container_that_is_not_there_is_said_so(elsewhere: Service) -> None:
    with pytest.raises(HubUnavailable, match="no such bucket"):
        open_store("az://none").get_range("key")


def test_settings_that_cannot_be_name_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", '{"private_key": "hush-hush"')
    with pytest.raises(HubUnavailable, match="settings for Google Cloud Storage cannot be used") as caught:
        open_store("gs://hub").head("key")
    assert "hush-hush" not in str(caught.value)
