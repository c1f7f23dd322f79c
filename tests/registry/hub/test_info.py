"""``hub.json``: written, changed, kept, and never with a secret in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wellread.errors import BadInput, IntegrityError
from wellread.registry.hub.info import describe_hub, read_info
from wellread.registry.records import HubInfo
from wellread.registry.stores import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "models")


def _file(store: Store) -> Path:
    return Path(store.url) / "hub.json"


def test_a_hub_says_nothing_until_it_is_described(store: Store) -> None:
    assert read_info(store) is None
    assert describe_hub(store) == HubInfo(name="models")
    assert read_info(store) == HubInfo(name="models", ttl=86400)


def test_only_what_is_given_changes(store: Store) -> None:
    describe_hub(store, name="The house", ttl=3600, mirrors=["https://a.example", "s3://b/c/"], keys=["k1"])
    after = describe_hub(store, site="https://models.example", keys=["k2", "k1"])
    assert after == read_info(store)
    assert after == HubInfo(
        name="The house", ttl=3600, mirrors=("https://a.example", "s3://b/c"), keys=("k1", "k2"),
        site="https://models.example",
    )  # fmt: skip
    assert describe_hub(store, mirrors=[], site="").mirrors == ()
    assert read_info(store) == HubInfo(name="The house", ttl=3600, keys=("k1", "k2"))


@pytest.mark.parametrize("folder", ["house/models/main", "ho-use/mo.dels/v1.0/site/models_2/"])
def test_the_notebooks_are_a_folder_on_github(store: Store, folder: str) -> None:
    assert describe_hub(store, notebooks=folder).notebooks == folder.rstrip("/")
    assert describe_hub(store, notebooks="").notebooks == ""


def test_what_is_said_already_is_not_written_again(store: Store) -> None:
    describe_hub(store, name="The house", ttl=60)
    before = _file(store).stat().st_mtime_ns
    describe_hub(store, name="The house", ttl=60.2)
    assert _file(store).stat().st_mtime_ns == before


def test_fields_of_a_later_wellread_are_kept(store: Store) -> None:
    store.put_new("hub.json", b'{"format": 1, "name": "x", "news": {"of": [1.50, "tomorrow"]}}')
    describe_hub(store, ttl=60)
    assert json.loads(_file(store).read_bytes()) == {
        "format": 1, "name": "x", "news": {"of": [1.5, "tomorrow"]}, "ttl": 60, "keys": []
    }  # fmt: skip


@pytest.mark.parametrize("broken", [b"{", b'{"format": 2, "name": "x"}', b'{"name": "x", "ttl": "soon"}'])
def test_a_file_that_cannot_be_read_is_left_as_it_is(store: Store, broken: bytes) -> None:
    store.put_new("hub.json", broken)
    with pytest.raises(IntegrityError, match=r"hub\.json"):
        describe_hub(store, ttl=60)
    assert _file(store).read_bytes() == broken


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": " "}, "not a name for a hub"),
        ({"name": "two\nlines"}, "not a name for a hub"),
        ({"name": "x" * 101}, "not a name for a hub"),
        ({"ttl": -1}, "no ttl"),
        ({"ttl": float("nan")}, "no ttl"),
        ({"ttl": 1e9}, "no ttl"),
        ({"mirrors": ["/srv/hub"]}, "'/srv/hub' is not an address for hub.json: one of http://"),
        ({"mirrors": ["file:///srv/hub"]}, "is not an address"),
        ({"mirrors": ["ftp://a.example"]}, "is not an address"),
        ({"mirrors": ["https://"]}, "is not an address"),
        ({"mirrors": ["https://[::1"]}, "is not an address"),
        ({"mirrors": ["https://a.example/a b"]}, "is not an address"),
        ({"mirrors": [""]}, "is not an address"),
        ({"site": "s3://b"}, "is not an address"),
        ({"site": "javascript:alert(1)"}, "is not an address"),
        ({"notebooks": "house/models"}, "is not a folder on GitHub"),
        ({"notebooks": "house/models/main/../.."}, "is not a folder on GitHub"),
        ({"notebooks": "house//main/x"}, "is not a folder on GitHub"),
        ({"notebooks": "house/models/main?x"}, "it is not a folder on GitHub"),
        ({"notebooks": "https://github.example/house/models/main"}, "is not a folder on GitHub"),
        ({"notebooks": "house/models/main\n"}, "is not a folder on GitHub"),
    ],
)
def test_what_it_cannot_say_is_refused(store: Store, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        describe_hub(store, **asked)
    assert said in str(caught.value)
    assert not Path(store.url).exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://me:s3cret@a.example/hub",
        "https://s3cret@a.example",
        "https://a.example/hub?token=s3cret",
        "https://a.example/hub#s3cret",
        "ftp://me:s3cret@a.example",
    ],
)
def test_no_secret_gets_into_it_nor_into_the_message(store: Store, address: str) -> None:
    for asked in ({"mirrors": [address]}, {"site": address}, {"notebooks": address}):
        with pytest.raises(BadInput) as caught:
            describe_hub(store, **asked)
        assert "s3cret" not in str(caught.value)
    assert not Path(store.url).exists()
