"""Where visitors find a hub: what wellread calls it, as an address that a browser opens."""

from __future__ import annotations

import pytest

from wellread.errors import BadInput
from wellread.model_cards.site.hub.addresses import download_address, place_of

_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION",
              "GOOGLE_BASE_URL", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_ACCOUNT_NAME", "AZURE_STORAGE_ENDPOINT",
              "AZURE_ENDPOINT", "AWS_PROFILE")  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.mark.parametrize(
    ("hub", "settings", "address"),
    [
        ("https://models.example.org/hub/", {}, "https://models.example.org/hub"),
        ("s3://models", {}, "https://models.s3.amazonaws.com"),
        ("s3://models/hub", {"AWS_REGION": "us-east-1"}, "https://models.s3.amazonaws.com/hub"),
        ("s3://models/hub", {"AWS_DEFAULT_REGION": "eu-west-1"}, "https://models.s3.eu-west-1.amazonaws.com/hub"),
        ("s3://models.example.org/hub", {}, "https://s3.amazonaws.com/models.example.org/hub"),
        ("s3://models/a/b", {"AWS_ENDPOINT_URL": "http://minio:9000/"}, "http://minio:9000/models/a/b"),
        ("gs://models/hub", {}, "https://storage.googleapis.com/models/hub"),
        ("az://box", {"AZURE_STORAGE_ACCOUNT_NAME": "house"}, "https://house.blob.core.windows.net/box"),
        ("./hub", {}, ""),
        ("/srv/hub", {}, ""),
    ],
)
def test_a_browser_reads_it_there(
    hub: str, settings: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert download_address(hub) == address


def test_a_container_of_nobody_is_refused() -> None:
    with pytest.raises(BadInput, match="AZURE_STORAGE_ACCOUNT_NAME"):
        download_address("az://box/hub")


def test_a_hub_behind_a_network_is_read_where_it_is_whatever_its_mirrors() -> None:
    assert place_of("s3://models/hub", ("https://other.example.org",)) == (
        "https://models.s3.amazonaws.com/hub",
        "s3://models/hub",
    )


@pytest.mark.parametrize(
    ("mirrors", "place"),
    [
        ((), ("", "")),
        (("https://m.example.org/hub",), ("https://m.example.org/hub", "https://m.example.org/hub")),
        (("az://box", "ftp://old", "s3://models"), ("https://models.s3.amazonaws.com", "s3://models")),
    ],
)
def test_of_a_folder_the_first_mirror_that_a_page_can_link_to(mirrors: tuple[str, ...], place: tuple[str, str]) -> None:
    assert place_of("/srv/hub", mirrors) == place
