"""``wellread list`` and ``wellread search``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command import Command
from tests.fixtures.web_server import Answer, serving
from tests.registry.samples import TIME, make_manifest, released
from wellread.registry.hub import index, states
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import CatalogEntry
from wellread.registry.stores import open_store
from wellread.registry.views import catalog, spark_nlp
from wellread.registry.views.update import update_views

RELEASE = f"2.6.0_2.4_{TIME}"


def _publish(hub: Path, **fields: Any) -> None:
    store, manifest = open_store(hub), make_manifest(**fields)
    shared = {name: fields[name] for name in ("name", "language", "annotator") if name in fields}
    index.add_release(store, released(**shared))
    update_views(store, [manifest.name], manifest)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    hub = tmp_path / "hub"
    _publish(hub, name="small_bert_L2_128", title="Smaller BERT")
    _publish(hub, name="small_bert_L12_128", title="Larger\x1b[31m  BERT")
    _publish(hub, name="other", language="de", annotator="BertSentenceEmbeddings", title="Anders")
    return hub


def _names(command: Command, *words: object) -> list[str]:
    done = command(*words, "--json")
    assert (done.code, done.err) == (0, "")
    return [entry["name"] for entry in done.json]


def test_list_has_a_line_for_each_model(command: Command, hub: Path) -> None:
    header, *lines = command("list", "--hub", hub).out.splitlines()
    assert header.split() == ["name", "lang", "latest", "title"]
    assert [line.split()[:3] for line in lines] == [
        ["other", "de", RELEASE],
        ["small_bert_L12_128", "en", RELEASE],
        ["small_bert_L2_128", "en", RELEASE],
    ]
    assert lines[1].endswith(r"Larger\x1b[31m BERT")
    assert len({line.index(RELEASE) for line in lines}) == 1


def test_json_is_an_array_and_has_a_model_a_line(command: Command, hub: Path) -> None:
    done = command("list", "--hub", hub, "--json")
    assert [entry["name"] for entry in done.json] == ["other", "small_bert_L12_128", "small_bert_L2_128"]
    assert "hub" not in done.json[0]
    assert json.loads(done.out.splitlines()[1].rstrip(","))["name"] == "other"


def test_list_can_be_narrowed(command: Command, hub: Path) -> None:
    assert _names(command, "list", "--hub", hub, "--lang", "de") == ["other"]
    assert _names(command, "list", "--hub", hub, "--annotator", "bertsentenceembeddings") == ["other"]
    assert _names(command, "list", "--hub", hub, "--folder", "clinical/models") == []
    assert command("list", "--hub", hub, "--lang", "fr").out == f"no models in {hub} for --lang fr\n"
    refused = command("list", "--hub", hub, "--folder", "../x")
    assert (refused.code, refused.out) == (1, "")


def test_a_model_says_that_its_latest_release_was_yanked(command: Command, hub: Path) -> None:
    store, other = open_store(hub), ModelName("other")
    states.set_state(store, other, Lang("de"), RELEASE, "public/models", "yanked", "wrong vocabulary")
    update_views(store, [other])
    lines = command("list", "--hub", hub).out.splitlines()
    assert [f"{RELEASE} (yanked)" in line for line in lines[1:]] == [True, False, False]
    states_listed = [entry["state"] for entry in command("list", "--hub", hub, "--json").json]
    assert states_listed == ["yanked", "ready", "ready"]


def test_search_gives_the_best_first(command: Command, hub: Path) -> None:
    assert _names(command, "search", "small_bert_L2_128", "--hub", hub) == ["small_bert_L2_128"]
    assert _names(command, "search", "bert 128", "--hub", hub) == ["small_bert_L2_128", "small_bert_L12_128"]
    assert _names(command, "search", "bert", "--hub", hub, "--limit", "1") == ["small_bert_L2_128"]
    assert _names(command, "search", "BERT", "--hub", hub, "--lang", "de") == ["other"]
    assert command("search", "nothing", "--hub", hub).out == f"no models in {hub} have all of: nothing\n"
    assert command("search", "--hub", hub).code == 2


def test_the_first_lines_come_before_the_last_is_read(
    command: Command, hub: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[int] = []

    def slowly(*_: object) -> Iterator[CatalogEntry]:
        (entry, *_others) = real(open_store(hub))
        for number in range(1000):
            yield entry
            if number == 500:
                seen.append(capfd.readouterr().out.count("other"))

    real = catalog.read_catalog
    monkeypatch.setattr(catalog, "read_catalog", slowly)
    for words in ((), ("--json",)):
        command("list", "--hub", hub, *words)
    assert all(count >= 300 for count in seen), seen
    assert len(seen) == 2


def test_an_empty_hub_and_one_that_is_not_there(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert command("list", "--hub", tmp_path / "empty").out == f"no models in {tmp_path / 'empty'}\n"
    assert command("list", "--hub", tmp_path / "empty", "--json").json == []
    refused = command("list", "--hub", tmp_path / "none")
    assert (refused.code, refused.out) == (1, "")
    assert "there is no folder" in refused.err


def test_of_several_hubs_each_model_says_its_own(command: Command, hub: Path, tmp_path: Path) -> None:
    _publish(tmp_path / "second", name="second")
    both = f"{hub},{tmp_path / 'second'}"
    assert [(entry["hub"], entry["name"]) for entry in command("search", "s", "--hub", both, "--json").json] == [
        (str(tmp_path / "second"), "second"),
        (str(hub), "small_bert_L2_128"),
        (str(hub), "small_bert_L12_128"),
        (str(hub), "other"),
    ]
    assert command("list", "--hub", both).out.splitlines()[0].split()[0] == "hub"


@pytest.mark.filterwarnings("default")
def test_a_hub_that_fails_is_a_warning_while_another_answers(command: Command, hub: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/catalog.jsonl").write_bytes(b"{")
    done = command("list", "--hub", f"{tmp_path / 'broken'},{hub}")
    assert (done.code, len(done.out.splitlines())) == (0, 4)
    assert "catalog.jsonl is not a valid" in done.err
    refused = command("list", "--hub", f"{tmp_path / 'broken'}")
    assert (refused.code, refused.out) == (1, "")
    assert "wellread hub refresh" in refused.err


@pytest.mark.filterwarnings("default")
def test_a_web_server_that_is_no_hub_and_one_that_is_away(command: Command, hub: Path) -> None:
    listing = hub.joinpath("catalog.jsonl").read_bytes()
    with serving({"/catalog.jsonl": Answer(listing), "/no/catalog.jsonl": Answer(b"", 403)}) as server:
        assert _names(command, "list", "--hub", server.url) == ["other", "small_bert_L12_128", "small_bert_L2_128"]
        partly = command("list", "--hub", f"{server.url},{server.url}/no", "--json")
        assert (partly.code, len(partly.json)) == (0, 3)
        assert "403" in partly.err
        refused = command("list", "--hub", f"{server.url}/no")
        assert (refused.code, refused.out) == (1, "")


def test_a_web_address_without_a_hub_is_doubted(command: Command) -> None:
    with serving({"/index.html": Answer(b"hello")}) as server:
        for words in (("list",), ("list", "--json"), ("search", "tiny"), ("fetch", "tiny")):
            refused = command(*words, "--hub", server.url)
            assert (refused.code, "is that the address of a hub?" in refused.err) == (1, True)


def test_an_address_without_its_scheme_is_no_folder(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = command("list", "--hub", "127.0.0.1:18432")
    assert (refused.code, "is http:// missing?" in refused.err) == (1, True)
    (tmp_path / "localhost:80").mkdir()
    assert command("list", "--hub", "localhost:80").code == 0


@pytest.mark.filterwarnings("default")
def test_offline_no_web_server_is_asked(command: Command, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    with serving({}) as server:
        partly = command("list", "--hub", f"{server.url},{hub}", "--json")
        assert (partly.code, len(partly.json)) == (0, 3)
        refused = command("search", "bert", "--hub", server.url)
        assert (refused.code, refused.out) == (1, "")
        assert "WELLREAD_OFFLINE is set" in refused.err and "WELLREAD_OFFLINE is set" in partly.err
        assert server.asked == []


@pytest.mark.filterwarnings("default")
def test_a_hub_of_spark_nlp_s_is_listed_and_searched(command: Command, tmp_path: Path) -> None:
    rows = [spark_nlp.row(released(name=name)) for name in ("small_bert_L2_128", "explain_document_dl")]
    (tmp_path / "public/models").mkdir(parents=True)
    (tmp_path / "public/models/metadata.json").write_bytes(b"\n".join(rows))
    listed = command("list", "--hub", tmp_path)
    assert "cannot open them yet" in listed.err
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["explain_document_dl", "small_bert_L2_128"]
    found = command("search", "L2_128", "--hub", tmp_path, "--json")
    assert [entry["name"] for entry in found.json] == ["small_bert_L2_128"]
