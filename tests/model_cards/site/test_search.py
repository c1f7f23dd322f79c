"""The files that the search reads, decoded as their format is described."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fixtures.site_rows import make_row, many
from wellread.model_cards.site.hub.models import Row
from wellread.model_cards.site.pages import page_templates, search


def _files(rows: list[Row]) -> dict[str, Any]:
    return {path: json.loads(raw) for path, raw in search.search_files(rows)}


def _shards(rows: list[Row]) -> list[dict[str, Any]]:
    files = _files(rows)
    return [files[f"search/{name}.json"] for name, _, _ in files["search/directory.json"]["shards"]]


def _number(character: str) -> int:
    return ord(character) - 35 if ord(character) < 0x100 else ord(character) - 0x100 + 57


def _lines(text: str) -> list[str]:
    """Front-coded lines, counted in UTF-16 as a browser does."""
    lines, before = [], b""
    for line in text.split("\n"):
        before = before[: 2 * _number(line[0])] + line[1:].encode("utf-16-le")
        lines.append(before.decode("utf-16-le"))
    return lines


def _values(shard: dict[str, Any], facet: str) -> list[list[str]]:
    lists, column = shard["facets"][facet]
    places = [_number(character) for character in column] or [0] * len(shard["sizes"])
    return [lists[place] for place in places]


def test_names_and_titles_come_back() -> None:
    titles = ["Short", "𝔘nicode 𝔘", "𝔘nicode 𝔙", "a" * 70, "a" * 71, "line\nbreak\\", "a"]
    rows = [make_row(f"m{number}", title=title) for number, title in enumerate(titles)] + [make_row("z", title="z")]
    [shard] = _shards(rows)
    assert _lines(shard["names"]) == [f"m{number}" for number in range(7)] + ["z"]
    assert _lines(shard["titles"]) == [*titles[:5], "line break\\", "a", ""]


def test_facets_say_what_the_rows_say() -> None:
    rows = [
        make_row("a", tags=("x", " x ", "", "y\nz"), size=0, dimension=0, state="deprecated", time=-1),
        make_row("b", recommended=True, supported=False, size=60_000_000),
    ]
    [shard] = _shards(rows)
    assert _values(shard, "tag") == [["x", "y z"], ["open_source"]]
    assert _values(shard, "status") == [["supported", "deprecated"], ["recommended"]]
    assert _values(shard, "size") == [[], ["50 to 200 MB"]]
    assert _values(shard, "dimension") == [[], ["128"]]
    assert _values(shard, "form") == [["onnx", "onnx-int8"]] * 2
    assert (shard["sizes"], shard["days"]) == ([0, 60_000_000], [0, 18_499])


def test_what_was_taken_back_is_not_found_among_the_supported_and_recommended() -> None:
    states = ("yanked", "deprecated", "ready")
    rows = [make_row(f"m{at}", state=state, supported=True, recommended=True) for at, state in enumerate(states)]
    [shard] = _shards(rows)
    assert _values(shard, "status") == [["yanked"], ["supported", "deprecated"], ["supported", "recommended"]]


def test_sizes_are_those_that_pages_show() -> None:
    sizes = [1, 812, 1000, 8_149, 8_962, 40_851_457, 999_949_999, 1_340_000_000]
    [shard] = _shards([make_row(f"m{at}", size=amount) for at, amount in enumerate(sizes)])
    assert [page_templates.size(amount) for amount in shard["sizes"]] == [page_templates.size(each) for each in sizes]


def test_more_lists_of_values_than_plain_characters_come_back() -> None:
    rows = [make_row(f"m{number:04}", tags=(f"tag{number}",)) for number in range(1500)]
    [shard] = _shards(rows)
    assert _values(shard, "tag") == [[f"tag{number}"] for number in range(1500)]


def test_a_language_lies_in_as_few_files_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SHARD", 100)
    shards = _files(many(300))["search/directory.json"]["shards"]
    held = [(languages, count) for _, languages, count in shards]
    assert held == [(["de"], 63), (["en"], 48), (["es"], 63), (["fr"], 63), (["zh-Hans"], 63)]
    monkeypatch.setattr(search, "SHARD", 40)
    assert [count for _, _, count in _files(many(300))["search/directory.json"]["shards"]] == [32, 31, 24, 24] + [
        32,
        31,
    ] * 3


def test_every_model_is_in_one_file_and_counted_once() -> None:
    rows = many(300)
    directory = _files(rows)["search/directory.json"]
    names = [name for shard in _shards(rows) for name in _lines(shard["names"])]
    assert sorted(names) == sorted(row.name for row in rows)
    facets = {key: dict(values) for key, _, values in directory["facets"]}
    assert list(facets["dimension"]) == ["128", "256", "512", "768"]
    assert list(facets["size"]) == ["up to 10 MB", "10 to 50 MB", "50 to 200 MB"]
    assert directory["models"] == 300
    assert facets["language"] == {"de": 63, "es": 63, "fr": 63, "zh-Hans": 63, "en": 48}
    assert list(facets) == list(search.FACETS)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = many(120)
    assert list(search.search_files(rows)) == list(search.search_files(rows[::-1]))


def test_one_more_model_leaves_the_files_of_other_languages_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SHARD", 64)
    before, after = _files(many(300)), _files([*many(300), make_row("new", "fr")])
    assert len(set(before) - set(after)) <= 2


def test_the_directory_comes_last_and_stays_small() -> None:
    rows = [make_row(f"m{number}", tags=(f"tag{number}",)) for number in range(500)]
    *_, (path, raw) = search.search_files(rows)
    assert path == "search/directory.json"
    assert len(raw) < 5000


def test_an_empty_hub_has_a_directory_and_nothing_else() -> None:
    assert list(_files([])) == ["search/directory.json"]
