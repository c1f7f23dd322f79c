"""The site for machines: what a reader of the JSON can do with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest

from tests.fixtures.site_rows import make_row
from tests.registry.samples import Sample, make_manifest, make_proof, make_sample, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.pages.machine import form_size, fragments, join, json_ld, list_files, model_json
from wellread.model_cards.site.places import Site
from wellread.registry.artifact.proof import parse_proof
from wellread.registry.names import Lang, ModelName

SITE = Site(title="Test hub")
FAR = Site(title="Far", address="https://models.example.org", download="https://cdn.example.org/hub", uri="s3://models")


def _model(sample: Sample, **fields: Any) -> Model:
    line = released(
        manifest=sample.packed.manifest,
        manifest_size=sample.packed.manifest_size,
        forms=tuple(sample.manifest.forms),
        **fields,
    )
    proof = parse_proof(sample.proof.read_bytes(), "the proof")
    return Model(sample.manifest.name, sample.manifest.language, (Published(line, ("key1",), sample.manifest, proof),))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return make_sample(tmp_path, author="Tests </script><b>", license="Apache-2.0")


@pytest.fixture
def foreign() -> Model:
    """A zip of Spark NLP's, of which only an index line is known."""
    line = released(manifest="", manifest_size=0, forms=())
    return Model(line.name, line.language, (Published(line, problem="it has no manifest"),))


def _read(site: Site, model: Model) -> Any:
    return json.loads(model_json(site, model))


def test_every_member_can_be_fetched_by_range_and_checked(sample: Sample) -> None:
    said = _read(SITE, _model(sample))
    raw = sample.zip.read_bytes()
    assert {member["name"] for member in said["members"]} >= {"onnx/model_int8.onnx", "tokenizer.json", "vocab.txt"}
    for member in said["members"]:
        data = raw[member["offset"] : member["offset"] + member["size"]]
        pieces = [data[at : at + said["piece"]] for at in range(0, len(data), said["piece"])]
        assert data == (sample.folder / member["name"]).read_bytes()
        assert [hashlib.sha256(piece).hexdigest() for piece in pieces] == member["pieces"]


def test_a_release_says_what_is_needed_to_run_a_form(sample: Sample) -> None:
    [release] = _read(SITE, _model(sample))["releases"]
    form = release["forms"]["onnx-int8"]
    assert form["size"] == form_size(sample.manifest, "onnx-int8") > 1000
    assert (form["precision"], form["min_cosine"]) == ("int8", 0.95)
    assert set(form["members"]) == {"config.json", "tokenizer.json", "vocab.txt", "onnx/model_int8.onnx"}
    assert release["manifest"] == sample.packed.manifest
    assert release["signers"] == ["key1"]


def test_addresses_are_relative_to_the_file_unless_the_hub_lies_elsewhere(sample: Sample) -> None:
    [here] = _read(SITE, _model(sample))["releases"]
    [there] = _read(FAR, _model(sample))["releases"]
    place = "https://models.example.org/sub/models/en/tiny.json"
    assert urljoin(place, here["url"]) == f"https://models.example.org/sub/public/models/{here['file']}"
    assert urljoin(place, here["proof"]).endswith(f"{here['file'].removesuffix('.zip')}.proof.json")
    assert there["url"] == f"https://cdn.example.org/hub/public/models/{here['file']}"
    assert there["uri"] == f"s3://models/public/models/{here['file']}"
    assert "uri" not in here


def test_figures_are_those_of_the_proof(sample: Sample) -> None:
    said = _read(SITE, _model(sample))
    assert said["oracle"] == "float64"
    assert [one["form"] for one in said["parity"]] == ["onnx", "onnx-int8", "torch"]
    assert said["parity"][0] == {
        "form": "onnx",
        "passed": True,
        "point": "sequence",
        "max": 1e-6,
        "min_cosine": 1.0,
        "mean_cosine": 1.0,
        "measure": "max",
        "limit": 1e-5,
    }


def test_of_a_form_the_point_is_told_that_its_page_shows(sample: Sample) -> None:
    """The one nearest to its limit, which need not be the last."""
    proof = make_proof(sample.manifest, sample.packed)
    [first, *_] = proof.parity.forms
    [last] = first.points
    worse = msgspec.structs.replace(
        last,
        name="layer 1",
        distance=msgspec.structs.replace(last.distance, mean_cosine=0.992),
        measure="mean_cosine",
        limit=0.99,
    )
    parity = msgspec.structs.replace(proof.parity, forms=(msgspec.structs.replace(first, points=(worse, last)),))
    [published] = _model(sample).releases
    proven = Published(published.release, (), sample.manifest, msgspec.structs.replace(proof, parity=parity))
    [told] = _read(SITE, Model(ModelName("tiny"), Lang("en"), (proven,)))["parity"]
    assert (told["point"], told["measure"], told["mean_cosine"]) == ("layer 1", "mean_cosine", 0.992)


def test_a_figure_that_is_no_number_is_null(sample: Sample) -> None:
    proof = make_proof(sample.manifest, sample.packed)
    [first, *_] = proof.parity.forms
    distance = msgspec.structs.replace(first.points[0].distance, max=float("nan"))
    point = msgspec.structs.replace(first.points[0], distance=distance)
    parity = msgspec.structs.replace(proof.parity, forms=(msgspec.structs.replace(first, points=(point,)),))
    [published] = _model(sample).releases
    odd = Published(published.release, (), sample.manifest, msgspec.structs.replace(proof, parity=parity))
    assert _read(SITE, Model(ModelName("tiny"), Lang("en"), (odd,)))["parity"][0]["max"] is None


def test_of_a_foreign_zip_only_its_line_is_said(foreign: Model) -> None:
    said = _read(SITE, foreign)
    assert said["members"] == []
    assert "license" not in said
    assert "proof" not in said["releases"][0]
    assert said["releases"][0]["problem"] == "it has no manifest"
    assert fragments(SITE, foreign) == {}
    assert json.loads(json_ld(SITE, foreign))["name"] == "tiny"


def test_lists_are_arrays_with_a_line_for_an_entry(sample: Sample) -> None:
    found = fragments(SITE, _model(sample))
    files = dict(list_files(SITE, [make_row("a"), make_row("b", "de")], lambda kind: [found[kind]] * 2))
    read = {path: b"".join(chunks) for path, chunks in files.items()}
    assert set(read) == {"models.json", "benchmarking.json", "references.json"}
    models = json.loads(read["models.json"])
    assert [(model["name"], model["page"]) for model in models] == [
        ("a", "models/en/a.html"),
        ("b", "models/de/b.html"),
    ]
    assert models[0]["url"].startswith("public/models/a_en_")
    assert [entry["oracle"] for entry in json.loads(read["benchmarking.json"])] == ["float64", "float64"]
    assert json.loads(read["references.json"])[0]["source"]["tensors"] == sample.manifest.source.tensors
    assert all(raw.count(b"\n") == 4 for raw in read.values())


def test_an_empty_list_is_an_empty_array() -> None:
    assert b"".join(join([])) == b"[]\n"


def test_search_engines_are_told_in_words_of_schema_org(sample: Sample) -> None:
    text = json_ld(FAR, _model(sample))
    said = json.loads(text)
    assert "<" not in text
    assert said["@type"] == "Dataset"
    assert said["license"] == "https://spdx.org/licenses/Apache-2.0.html"
    assert said["creditText"] == "Tests </script><b>"
    assert said["url"] == "https://models.example.org/models/en/tiny.html"
    assert said["dateModified"] == "2020-08-25"
    assert said["distribution"]["contentUrl"].startswith("https://cdn.example.org/hub/public/models/tiny_en_")
    assert said["distribution"]["sha256"] == "0" * 64


def test_a_licence_that_is_no_identifier_stays_text() -> None:
    manifest = make_manifest(license="Apache-2.0 AND MIT")
    model = Model(ModelName("tiny"), Lang("en"), (Published(released(), (), manifest),))
    assert json.loads(json_ld(SITE, model))["license"] == "Apache-2.0 AND MIT"


def test_the_same_model_gives_the_same_bytes(sample: Sample) -> None:
    model = _model(sample)
    assert model_json(SITE, model) == model_json(SITE, model)
    assert json_ld(SITE, model) == json_ld(SITE, model)
