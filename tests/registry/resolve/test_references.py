"""What references stand for: hub by hub and mirror by mirror, and which models' references are like a mistyped one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.listening import listening
from tests.registry.samples import make_sample
from wellread.errors import BadInput
from wellread.registry.hub.index import alias_key
from wellread.registry.hub.publish import publish
from wellread.registry.hub.states import remove_alias, set_alias
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import HubInfo, encode
from wellread.registry.resolve.places import Place
from wellread.registry.resolve.references import Meant, References
from wellread.registry.retry import open_hub
from wellread.registry.stores import open_store

TINY, REFERENCE = ModelName("tiny"), "en.embed.bert.tiny"


def _hub(path: Path) -> Path:
    sample = make_sample(path.with_name(f"pressed-{path.name}"), aliases=(REFERENCE,))
    publish(sample.zip, sample.proof, path)
    return path


def test_an_alias_is_known_with_and_without_its_language(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "hub")
    expected = Meant(REFERENCE, TINY, Lang("en"), hub)
    assert References(hub).find(REFERENCE) == References(hub).find("embed.bert.tiny") == expected
    assert References(hub).find("tiny") is None
    with pytest.raises(BadInput, match="not a reference"):
        References(hub).find("../tiny")


def test_a_reference_as_it_is_comes_before_the_one_with_en_in_front(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "hub")
    set_alias(open_hub(hub), "embed.bert.tiny", TINY, Lang("en"))
    assert References(hub).find("embed.bert.tiny") == Meant("embed.bert.tiny", TINY, Lang("en"), hub)


def test_what_a_mirror_knows_is_its_hubs(tmp_path: Path) -> None:
    with listening(_hub(tmp_path / "mirror")) as mirror, listening(tmp_path / "hub") as hub:
        open_store(tmp_path / "hub").put_new("hub.json", encode(HubInfo(name="x", mirrors=(mirror.url,))))
        known = References(hub.url)
        assert known.find(REFERENCE) is None  # of its mirrors we know once something was fetched from it
        Place(open_hub(hub.url), hub.url).acquaint()
        found = known.find(REFERENCE)
        assert found and found.hub == hub.url
        assert f"200 {alias_key(REFERENCE)}" in mirror.taken()


def test_an_alias_that_was_moved_or_removed_is_not_what_it_was(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "hub")
    store = open_store(hub)
    set_alias(store, "en.other", TINY, Lang("en"))
    assert References(hub).find("other") == Meant("en.other", TINY, Lang("en"), hub)
    remove_alias(store, "en.other")
    assert References(hub).find("other") is None


def test_a_damaged_alias_is_told_where_another_hub_knows_it(tmp_path: Path) -> None:
    first, second = _hub(tmp_path / "first"), _hub(tmp_path / "second")
    (first / alias_key(REFERENCE)).write_bytes(b"{")
    with pytest.warns(UserWarning, match=f"{REFERENCE} is taken from {second} instead"):
        found = References(f"{first},{second}").find(REFERENCE)
    assert found and found.hub == second
    alone = References(first)
    assert alone.find(REFERENCE) is None
    assert list(alone.failed) == [str(first)]


def test_references_are_like_what_was_typed_and_a_models_name_has_none(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "hub")
    assert References(hub).instead("en.embed.bert.tinny") == f"Did you mean the reference '{REFERENCE}'?"
    assert References(hub).instead("something.else") == ""
    assert References(hub).instead("tiny") == ""
    assert References("https://models.example.org", offline=True).instead("tinny") == ""
