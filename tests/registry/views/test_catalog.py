"""The catalogue: streamed, sorted, searched; a line's place found by its bytes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, IntegrityError
from wellread.registry.hub.index import CATALOG
from wellread.registry.names import Lang, ModelName, parse_folder, parse_lang, parse_name
from wellread.registry.records import CatalogEntry, encode
from wellread.registry.stores import Body, Store, open_store
from wellread.registry.views import catalog, spark_nlp
from wellread.registry.views.catalog import read_catalog, search


def _entry(name: str = "tiny", language: str = "en", folder: str = "x", **fields: Any) -> CatalogEntry:
    given: dict[str, Any] = {"title": "Tiny", "annotator": "BertEmbeddings", "latest": "2.6.0_2.4_1", "releases": 1}
    return CatalogEntry(name=ModelName(name), language=Lang(language), folder=folder, **(given | fields))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


# ---------------------------------------------------------------- reading


def test_a_hub_with_nothing_in_it(store: Store) -> None:
    assert list(read_catalog(store)) == []


def test_entries_are_read_as_they_come(store: Store) -> None:
    store.put_new(CATALOG, encode(_entry()))

    class Endless:
        url = store.url

        def get_range(self, key: str) -> Body | None:
            body = store.get_range(key)
            return body and body._replace(chunks=itertools.repeat(encode(_entry()) + b"\n" + encode(_entry("b"))[:50]))

    with pytest.raises(IntegrityError):  # what the halves make is no entry: the first came all the same
        for number, entry in enumerate(read_catalog(Endless())):  # type: ignore[arg-type]
            assert (number, entry.name) == (0, "tiny")


def test_lines_of_a_later_format_are_passed_over_and_others_are_not(store: Store) -> None:
    later = b'{"format":2,"name":7}\n\n'
    store.put_new(CATALOG, later + encode(_entry()) + b"\n" + later)
    assert [entry.name for entry in read_catalog(store)] == ["tiny"]
    Path(store.url, CATALOG).write_bytes(b'{"format":1}\n')
    with pytest.raises(IntegrityError, match=r"catalog\.jsonl is not a valid CatalogEntry.*wellread hub refresh"):
        list(read_catalog(store))


def test_a_hub_of_spark_nlp_s_is_catalogued_from_its_list(store: Store) -> None:
    rows = [
        spark_nlp.row(released(name=name, time=TIME + time, annotator=f"A{time}"))
        for name, time in (("b", 0), ("a", 1), ("b", 2), ("a", 0))
    ]
    ready = [row.replace(b'"readyToUse":false', b'"readyToUse":true') for row in rows[:2]] + rows[2:]
    store.put_new("public/models/metadata.json", b"\n".join(ready))
    found = list(read_catalog(store))
    assert [(e.name, e.latest[-1], e.annotator, e.releases, e.title) for e in found] == [
        ("a", str(TIME + 1)[-1], "A1", 2, ""),
        ("b", str(TIME)[-1], "A0", 2, ""),
    ]
    assert list(read_catalog(store, "clinical/models")) == []


# ---------------------------------------------------------------- a line's place


def _parsed(parse: Any) -> Any:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except BadInput:
            return False
        return True

    return fits


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,5}", fullmatch=True).filter(_parsed(parse_name))
LANGUAGES = st.from_regex(r"[a-z]{2,3}(-[A-Za-z0-9]{2,3})?", fullmatch=True).filter(_parsed(parse_lang))
FOLDERS = st.from_regex(r"[A-Za-z0-9_@][A-Za-z0-9_.\-]{0,3}(/[a-z0-9_]{1,2})?", fullmatch=True).filter(
    _parsed(parse_folder)
)
KEYS = st.tuples(NAMES, LANGUAGES, FOLDERS)


@settings(deadline=None, max_examples=40)
@given(st.sets(KEYS, max_size=8), NAMES)
def test_the_order_of_the_bytes_is_the_order_of_the_keys(keys: set[tuple[str, str, str]], name: str) -> None:
    raw = b"".join(encode(_entry(*key)) + b"\n" for key in keys)
    ours, later = catalog.sort_lines(raw, "here")
    assert ours == [encode(_entry(*key)) for key in sorted(keys)]
    assert later == []
    place = catalog.place(ours, ModelName(name))
    assert ours[place] == [encode(_entry(*key)) for key in sorted(keys) if key[0] == name]
    assert [json.loads(line)["name"] < name for line in ours].count(True) == place.start


@pytest.mark.parametrize("line", [b"{", b'{"format":1,"name":"tiny","lang', b'{"name":"tiny"}', b"\xff"])
def test_a_line_that_is_no_entry_is_noticed(line: bytes) -> None:
    with pytest.raises(IntegrityError, match="here has a line that is no entry"):
        catalog.sort_lines(encode(_entry()) + b"\n" + line, "here")


# ---------------------------------------------------------------- searching

SMALL = [
    f"{kind}small_bert_L{layers}_{hidden}" for kind in ("", "sent_") for layers in (2, 4, 12) for hidden in (128, 512)
]


def _names(*words: str, limit: int = 50) -> list[str]:
    entries = (_entry(name, title=f"Smaller BERT ({name[-3:]})") for name in sorted(SMALL))
    return [entry.name for entry in search(entries, words, limit)]


@pytest.mark.parametrize("name", SMALL)
def test_a_name_finds_itself_first(name: str) -> None:
    assert _names(name)[0] == name
    assert _names(name.upper())[0] == name


def test_digits_matter() -> None:
    assert _names("small_bert_L2_128") == ["small_bert_L2_128", "sent_small_bert_L2_128"]
    assert _names("L2", "128") == ["small_bert_L2_128", "sent_small_bert_L2_128"]
    assert _names("L_2") == []


def test_whole_words_come_before_parts_and_short_names_before_long() -> None:
    assert _names("2_128")[:2] == ["small_bert_L2_128", "small_bert_L12_128"]
    entries = [_entry("banner"), _entry("roberta_ner_large"), _entry("x", title="ner"), _entry("roberta-ner")]
    assert [found.name for found in search(entries, ["NER"])] == ["roberta-ner", "roberta_ner_large", "banner", "x"]
    assert _names("512", "sent")[0] == "sent_small_bert_L2_512"
    assert _names("12")[-1] == "sent_small_bert_L12_512"


def test_every_word_must_occur_somewhere() -> None:
    entries = [
        _entry("a", title="Größe"),
        _entry("b", language="de", annotator="BertSentenceEmbeddings"),
        _entry("c"),
    ]

    def found(*words: str) -> list[str]:
        return [entry.name for entry in search(entries, words)]

    assert (found("GRÖSSE"), found("sentence"), found("tiny", "de")) == (["a"], ["b"], ["b"])
    assert found("tiny", "fr") == []


def test_a_search_holds_no_more_than_it_gives() -> None:
    alive = 0

    class Counted(CatalogEntry, frozen=True, kw_only=True, weakref=True):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def entries() -> Iterator[CatalogEntry]:
        nonlocal alive
        for number in range(5000):
            alive += 1
            assert alive < 60
            yield Counted(**json.loads(encode(_entry(f"m{(number * 7919) % 5000:04}")).replace(b'"format":1,', b"")))

    best = list(search(entries(), ["m"], 20))
    assert [entry.name for entry in best] == [f"m{number:04}" for number in range(20)]
