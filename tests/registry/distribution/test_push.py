"""Pushing to the Hugging Face Hub: what arrives, what is not sent twice, and refusals in words of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.huggingface_server import LARGE, Hub, huggingface_hub
from tests.registry.samples import FILES, make_manifest, write_files
from wellread.errors import BadInput, HubUnavailable, IntegrityError, MissingExtra, PublishError
from wellread.registry.artifact.package import describe
from wellread.registry.distribution.push import parse_repository, push
from wellread.registry.records import encode_pretty

pytestmark = [
    pytest.mark.press,  # huggingface_hub comes with it
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # its business with its transport
]
MEMBERS = {**FILES, "onnx/model.onnx": b"large" * LARGE}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with huggingface_hub(monkeypatch) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release in the cache, with what the cache keeps beside it."""
    made = write_files(tmp_path / "tiny", MEMBERS)
    (made / "manifest.json").write_bytes(encode_pretty(make_manifest(describe(made))))
    return write_files(made, {".wellread/onnx.json": b"{}"})


def _in(hub: Hub, repository: str = "me/tiny") -> dict[str, bytes]:
    return {path: data for path, data in hub.repositories[repository].items() if path != ".gitattributes"}


def test_every_member_arrives_byte_for_byte_in_one_commit(hub: Hub, folder: Path) -> None:
    pushed = push(folder, "me/tiny")
    assert _in(hub) == {**MEMBERS, "manifest.json": (folder / "manifest.json").read_bytes()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "vocab.txt"} < set(_in(hub))
    assert hub.commits == ["tiny_en_2.6.0_2.4_1598344705269 by wellread"]
    assert (pushed.url, pushed.commit) == (f"{hub.url}/me/tiny", hub.revision("me/tiny"))
    assert set(pushed.uploaded) == set(_in(hub)) and hub.tokens == {"Bearer hf_secretOfATest", ""}, (
        "none goes to the storage"
    )
    assert not hub.private


def test_the_same_content_again_sends_nothing(hub: Hub, folder: Path) -> None:
    push(folder, "me/tiny")
    hub.asked.clear()
    again = push(folder, "me/tiny")
    assert (again.uploaded, again.commit) == ((), "")
    assert not [line for line in hub.asked if not line.startswith("GET")]


def test_only_what_differs_is_sent_and_what_is_no_member_stays(hub: Hub, folder: Path) -> None:
    push(folder, "me/tiny", message="first")
    hub.repositories["me/tiny"] |= {"NOTES.md": b"mine", "vocab.txt": b"other bytes\n"}
    hub.repositories["me/tiny"]["onnx/model.onnx"] = b"LARGE" * LARGE
    assert push(folder, "me/tiny", message="second").uploaded == ("onnx/model.onnx", "vocab.txt")
    assert (hub.commits, _in(hub)["NOTES.md"]) == (["first", "second"], b"mine")
    assert _in(hub)["onnx/model.onnx"] == MEMBERS["onnx/model.onnx"]


def test_a_dry_run_says_what_it_would_send_and_sends_nothing(hub: Hub, folder: Path) -> None:
    pushed = push(folder, "me/tiny", dry_run=True)
    assert (set(pushed.uploaded), pushed.commit) == ({*MEMBERS, "manifest.json"}, "")
    assert not hub.repositories and all(line.startswith("GET") for line in hub.asked)


def test_a_private_repository_is_made_private_and_a_public_one_is_not_pushed_to(hub: Hub, folder: Path) -> None:
    push(folder, "me/tiny", private=True)
    assert hub.private == {"me/tiny"}
    assert push(folder, "me/tiny", private=True).uploaded == ()
    hub.private.clear()
    with pytest.raises(PublishError, match="is there and public"):
        push(folder, "me/tiny", private=True)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((("POST", "/repos/create"), 401), "set HF_TOKEN"),
        ((("POST", "/repos/create"), 403), "your token may not write there"),
        ((("POST", "/preupload/"), 403), "your token may not write there"),
        ((("POST", "/commit/"), 409), "changed it meanwhile"),
        ((("POST", "/repos/create"), 404), "no such organisation"),
        ((("POST", "/commit/"), 500), "did not answer"),
    ],
)
def test_a_refusal_is_explained_without_the_token(
    hub: Hub, folder: Path, refusal: tuple[tuple[str, str], int], words: str
) -> None:
    hub.refuse = dict([refusal])
    with pytest.raises((PublishError, HubUnavailable), match=words) as refused:
        push(folder, "me/tiny")
    assert hub.url in str(refused.value) and "secret" not in str(refused.value)
    assert not hub.commits


def test_a_hub_that_is_away_and_a_token_that_cannot_be_sent(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_s\xe9cretOfATest")
    with pytest.raises((PublishError, HubUnavailable)) as refused:
        push(folder, "me/tiny")
    assert "OfATest" not in str(refused.value)
    monkeypatch.setenv("HF_TOKEN", "hf_secretOfATest")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(HubUnavailable, match=r"http://127\.0\.0\.1:1/me/tiny cannot be reached"):
        push(folder, "me/tiny")


def test_a_commit_that_lost_a_member_is_noticed(hub: Hub, folder: Path) -> None:
    hub.drop = {"vocab.txt"}
    with pytest.raises(PublishError, match=r"without vocab\.txt"):
        push(folder, "me/tiny")


def test_a_member_changed_on_disk_is_not_pushed(hub: Hub, folder: Path) -> None:
    (folder / "vocab.txt").write_bytes(b"[PAD]\n[unk]\n")
    with pytest.raises(IntegrityError, match=r"vocab\.txt is missing or differs"):
        push(folder, "me/tiny")
    with pytest.raises(BadInput, match="not an unpacked artifact"):
        push(folder.parent, "me/tiny")
    assert not hub.asked


def test_repositories_as_they_are_written() -> None:
    assert parse_repository("hf:me/tiny-bert.v2") == "me/tiny-bert.v2"
    for text in ("me/tiny", "hf:tiny", "hf:me/../x", "hf:me/tiny/x", "hf:/tiny", "hf:me/ti ny", "s3:me/tiny"):
        with pytest.raises(BadInput, match="hf:org/name"):
            parse_repository(text)


def test_without_the_library_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wellread\[press\]'"):
        push(folder, "me/tiny")
