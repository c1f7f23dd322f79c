"""From references to models: who is asked, how often, and what is said where there is none."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellread
from tests.nlu.conftest import OTHER, SENTENCES, WORDS, publish_tiny
from tests.registry.listening import DAY, age, listening
from tests.registry.samples import TIME
from wellread.errors import BadInput, HubUnavailable, NotFound
from wellread.registry.hub.index import alias_key, index_key
from wellread.registry.hub.states import set_alias
from wellread.registry.names import Lang, ModelName
from wellread.registry.stores import open_store

pytestmark = pytest.mark.press


def test_a_reference_costs_one_small_request_and_none_within_the_ttl(hub: Path) -> None:
    with listening(hub) as server:
        wellread.load(WORDS, hub=server.url)
        asked = server.taken()
        assert asked[:2] == [f"200 {alias_key(WORDS)}", f"200 {index_key(ModelName('tiny'))}"]
        assert [one for one in asked if "aliases/" in one] == asked[:1]
        wellread.load(WORDS, hub=server.url)
        assert server.taken() == []
        age(DAY)
        wellread.load(WORDS, hub=server.url)
        assert f"304 {alias_key(WORDS)}" in server.taken()


def test_what_says_no_language_is_english(hub: Path) -> None:
    short = WORDS.removeprefix("en.")
    with listening(hub) as server:
        pipeline = wellread.load(short, hub=server.url)
        assert server.taken()[:2] == [f"404 {alias_key(short)}", f"200 {alias_key(WORDS)}"]
        assert wellread.load(short, hub=server.url).references == pipeline.references == (WORDS,)
        assert server.taken() == []


def test_a_models_own_name_will_do_and_is_asked_for_once(hub: Path) -> None:
    with listening(hub) as server:
        assert wellread.load("sent_tiny", hub=server.url).models[0].name == "sent_tiny"
        server.taken()
        assert wellread.load("sent_tiny", hub=server.url).references == ("sent_tiny",)
        assert server.taken() == []


def test_several_references_are_several_models_each_once(hub: Path) -> None:
    pipeline = wellread.load(f"  {OTHER} embed.bert.tiny  {WORDS} {OTHER}", hub=hub)
    assert pipeline.references == (OTHER, WORDS)
    assert [model.name for model in pipeline.models] == ["tiny_b", "tiny"]


def test_the_options_are_those_of_pretrained(hub: Path) -> None:
    pipeline = wellread.load(WORDS, hub=hub, form="onnx-int8", version=f"2.6.0_2.4_{TIME}")
    assert pipeline.models[0].form == "onnx-int8"
    with pytest.raises(NotFound, match=r"no release '9\.9'"):
        wellread.load(WORDS, hub=hub, version="9.9")


def test_the_hub_that_knows_the_reference_gives_the_model(hub: Path, tmp_path: Path, members: dict[str, bytes]) -> None:
    other = tmp_path / "other, hub"
    publish_tiny(tmp_path, members, other, "tiny", "en.embed.bert.namesake", time=TIME + 1)
    assert wellread.load("en.embed.bert.namesake", hub=other).models[0].manifest.time == TIME + 1
    shutil.copytree(other, tmp_path / "other")
    both = f"{tmp_path / 'other'},{hub}"
    assert wellread.load(WORDS, hub=both).models[0].manifest.time == TIME
    assert wellread.load("en.embed.bert.namesake", hub=both).models[0].manifest.time == TIME + 1


@pytest.mark.filterwarnings("ignore:.*is taken from:UserWarning")
def test_a_hub_that_is_away_is_passed_over_and_told(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)
    away = "http://127.0.0.1:9/x"
    with pytest.warns(UserWarning, match=rf"(?s)is the server up.*{WORDS} is taken from {hub} instead"):
        assert wellread.load(WORDS, hub=f"{away},{hub}").models[0].name == "tiny"
    with pytest.raises(HubUnavailable, match="WELLREAD_OFFLINE=1"):
        wellread.load(WORDS, hub=away)


def test_offline_it_is_what_was_loaded_before(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(hub) as server:
        wellread.load(WORDS, hub=server.url)
        server.taken()
        age(30 * DAY)
        monkeypatch.setenv("WELLREAD_OFFLINE", "1")
        assert wellread.load("embed.bert.tiny", hub=server.url).references == (WORDS,)
        with pytest.raises(NotFound, match="The cache holds: tiny"):
            wellread.load(OTHER, hub=server.url)
        assert server.taken() == []
    assert wellread.load(WORDS, hub="https://models.example.org").models[0].name == "tiny"


def test_a_reference_that_is_new_is_found_though_a_copy_says_no(hub: Path, tmp_path: Path) -> None:
    shutil.copytree(hub, tmp_path / "hub")
    with listening(tmp_path / "hub") as server:
        with pytest.raises(NotFound):
            wellread.load("embed.new", hub=server.url)
        set_alias(open_store(tmp_path / "hub"), "en.embed.new", ModelName("tiny"), Lang("en"))
        assert wellread.load("embed.new", hub=server.url).models[0].name == "tiny"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("en.embed.bert.tinny", "Did you mean the reference 'en.embed.bert.tiny'"),
        ("en.embed_sentense.tiny", "'en.embed_sentence.tiny'"),
        ("tinny", "Did you mean 'tiny'"),
    ],
)
def test_what_is_unknown_is_told_references_and_names_like_it(hub: Path, typed: str, said: str) -> None:
    for place in (str(hub), f"{hub.parent / 'empty'},{hub}"):
        with pytest.raises(NotFound) as caught:
            wellread.load(typed, hub=place)
        assert said in str(caught.value)
        assert "3 releases" in str(caught.value)


def test_near_references_come_over_the_network_too(hub: Path) -> None:
    with listening(hub) as server, pytest.raises(NotFound, match=r"the reference 'en.embed.bert.tiny'"):
        wellread.load("en.embed.bert.tinny", hub=server.url)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("en.embed.bert.small_L8_512", "small_bert_L8_512"),
        ("embed_sentence.small_bert_L2_128", "sent_small_bert_L2_128"),
    ],
)
def test_the_reference_of_a_recipe_is_nobodys_and_says_what_to_build(hub: Path, reference: str, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        wellread.load(reference, hub=hub)
    assert f"A built-in recipe has it: wellread build {name} (" in str(caught.value)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("typed", ["en", "embeddings", "open_source", "en.embed.bert.small"])
def test_what_merely_stands_in_a_recipe_is_no_reference_of_one(hub: Path, typed: str) -> None:
    with pytest.raises(NotFound) as caught:
        wellread.load(typed, hub=hub)
    assert "recipe" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"references": ""}, "references is empty"),
        ({"references": [WORDS]}, "references is a list: give a str"),
        ({"references": "en/embed"}, "not a reference"),
        ({"references": "en.a,en.b, en.c"}, "spaces part references, commas do not: load('en.a en.b en.c')"),
        ({"token_mode": "alined"}, "Did you mean 'aligned'"),
        ({"max_length": 2}, "max_length=2"),
        ({"max_length": 1000}, "tiny takes 64 pieces"),
        ({"hub": 3}, "hub=3 is of type int"),
        ({"form": "int8 "}, "not a form's name"),
    ],
)
def test_what_cannot_be_meant_is_refused(hub: Path, asked: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {"references": WORDS, "hub": hub}
    with pytest.raises(BadInput) as caught:
        wellread.load(**(usual | asked))
    assert said in str(caught.value)


def test_a_pipeline_pickles_as_its_releases(hub: Path) -> None:
    pipeline = wellread.load(f"{WORDS} {SENTENCES}", hub=hub, token_mode="aligned")
    pickled = pickle.dumps(pipeline)
    again = pickle.loads(pickled)
    assert len(pickled) < 3000
    assert again.references == pipeline.references
    for first, second in zip(
        pipeline.predict("don't", "token").values, again.predict("don't", "token").values, strict=True
    ):
        np.testing.assert_array_equal(first[1], second[1])
    assert repr(again) == repr(pipeline)
    assert f"{WORDS} {SENTENCES}" in repr(pipeline) and "sent_tiny" in repr(pipeline)
