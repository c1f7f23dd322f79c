"""What a site reads of its hub: the hub itself, and a name with its releases, sound or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.model_cards.site.hubs import add
from tests.registry.samples import TIME
from wellread.errors import BadInput
from wellread.model_cards.site.hub.listings import Reading, read_name, site_of
from wellread.model_cards.site.hub.survey import Survey
from wellread.model_cards.site.places import Site
from wellread.registry.artifact.proof import proof_name
from wellread.registry.hub import states
from wellread.registry.hub.info import describe_hub
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName
from wellread.registry.stores import open_store
from wellread.registry.trust.keys import new_key


def reading(hub: Path, name: str = "tiny") -> Reading:
    store = open_store(hub)
    listing = next(found for found in Survey(store, lambda _: None).changed() if found.name == name)
    return read_name(store, listing)


def test_a_site_is_called_what_its_hub_is_called(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    assert site_of(open_store(hub)).title == "hub"
    describe_hub(
        open_store(hub), name="Models", site="https://a.example.org", mirrors=["s3://box/hub"], keys=["0" * 64]
    )
    site = site_of(open_store(hub))
    assert (site.title, site.address, site.uri, site.keys) == (
        "Models", "https://a.example.org", "s3://box/hub", ("0" * 64,),
    )  # fmt: skip
    assert site_of(open_store(hub), "https://b.example.org/x/").address == "https://b.example.org/x"
    with pytest.raises(BadInput, match="is not an address"):
        site_of(open_store(hub), "b.example.org")


def test_what_no_page_could_repeat_is_a_warning(tmp_path: Path) -> None:
    """``hub.json`` is written by anybody, with any tool."""
    odd = {"name": "a\nb", "site": "javascript:alert(1)", "notebooks": "Embeddings", "mirrors": ["https://a.b/?x"]}
    (tmp_path / "hub.json").write_text(json.dumps({"format": 1, **odd}))
    with pytest.warns(UserWarning, match="hub.json") as told:
        site = site_of(open_store(tmp_path))
    assert len(told) == 3
    assert site == Site(title=tmp_path.name)


def test_a_site_beside_its_hub_links_to_nowhere_else(tmp_path: Path) -> None:
    describe_hub(open_store(tmp_path), mirrors=["https://mirror.example.org/hub"])
    assert site_of(open_store(tmp_path)).download == "https://mirror.example.org/hub"
    assert site_of(open_store(tmp_path), beside=True).download == ""


def test_a_site_over_its_hub_is_its_address(tmp_path: Path) -> None:
    site = site_of(open_store(tmp_path), "https://models.example.org")
    assert (site.download, site.uri) == ("", "https://models.example.org")


def test_a_release_with_its_manifest_proof_and_signers(tmp_path: Path) -> None:
    key, _ = new_key()
    release = add(tmp_path / "hub")
    (model,) = reading(tmp_path / "hub").models
    published = model.latest
    assert (published.release, published.signers, published.problem) == (release, (key.id,), "")
    assert published.manifest and published.manifest.title == "Tiny"
    assert published.proof and published.proof.sha256 == release.sha256


def test_the_one_that_is_taken_by_default_is_first(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    for later in (0, 1, 2):
        add(hub, time=TIME + later)
    named = (ModelName("tiny"), Lang("en"))
    states.change_state(
        open_store(hub), "yank", *named, version=f"2.6.0_2.4_{TIME + 2}", folder=DEFAULT_FOLDER, reason="broken"
    )
    (model,) = reading(hub).models
    assert [published.release.time - TIME for published in model.releases] == [1, 2, 0]


def test_each_language_is_a_model(tmp_path: Path) -> None:
    for language in ("fr", "de"):
        add(tmp_path / "hub", language=language)
    assert [model.language for model in reading(tmp_path / "hub").models] == ["de", "fr"]


def test_what_stands_for_a_model_begins_with_its_own(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    add(hub, aliases=("en.tiny", "en.also", "en.taken"))
    add(hub, language="de")
    add(hub, "other")
    for reference, language in (("en.a", "en"), ("de.a", "de")):
        states.set_alias(open_store(hub), reference, ModelName("tiny"), Lang(language))
    states.set_alias(open_store(hub), "en.taken", ModelName("other"), Lang("en"))
    german, english = reading(hub).models
    assert (german.aliases, english.aliases) == (("de.a",), ("en.tiny", "en.also", "en.a"))


def test_a_proof_about_other_bytes_is_none(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    first, second = (add(hub, time=TIME + later) for later in (0, 1))
    folder = hub / "public/models"
    (folder / proof_name(first.file)).replace(folder / proof_name(second.file))
    (model,) = reading(hub).models
    assert [published.proof for published in model.releases] == [None, None]


def test_what_cannot_be_read_is_said_without_the_place_where_it_lies(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    release = add(hub)
    (hub / release.path).unlink()
    with pytest.warns(UserWarning, match="is listed in the index but not there"):
        found = reading(hub)
    assert found.models[0].latest.problem == f"{release.path} is listed in the index but not there: publish it again"
    assert not found.known.settled


def test_a_proof_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    release = add(hub)
    (hub / "public/models" / proof_name(release.file)).write_bytes(b"{}")
    with pytest.warns(UserWarning, match="is not a valid Envelope"):
        published = reading(hub).models[0].latest
    assert published.manifest and published.proof is None and "is not a valid Envelope" in published.problem
