"""What a build remembers: whose files are whose, and what they were made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.registry.samples import released
from wellread.errors import WellreadError
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.hub.state import SHARED, File, Kept, Known, State, opened
from wellread.model_cards.site.pages.rows import row_of
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import encode

KNOWN = Known(mark="a", aliases="en.tiny:en", stamps={"index/aa/tiny.jsonl": "1"})


def kept(name: str, language: str = "en") -> Kept:
    model = Model(ModelName(name), Lang(language), (Published(released(name=name, language=language)),))
    return Kept(model.language, encode(row_of(model)), {"references": f'"{name} {language}"'.encode()})


def test_it_is_there_the_next_time(tmp_path: Path) -> None:
    tiny, other = ModelName("tiny"), ModelName("other")
    with opened(tmp_path) as state:
        assert (
            state.note(tiny, KNOWN, (kept("tiny"), kept("tiny", "de")), (File("models/en/tiny.html", 5, True),)) == []
        )
        state.note(other, KNOWN, (kept("other"),), ())
        state.set("builder", "x")
    with opened(tmp_path) as state:
        assert state.known(tiny) == KNOWN and state.names() == {tiny, other}
        assert [(row.name, row.language) for row in state.rows()] == [("other", "en"), ("tiny", "de"), ("tiny", "en")]
        assert list(state.fragments("references")) == [b'"other en"', b'"tiny de"', b'"tiny en"']
        assert list(state.fragments("benchmarking")) == []
        assert list(state.files()) == [("models/en/tiny.html", "tiny", 5)]
        assert (state.get("builder"), state.get("absent"), state.models(), state.count(".html")) == ("x", "", 3, 1)


def test_what_is_not_committed_is_forgotten(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), opened(tmp_path) as state:
        state.note(ModelName("tiny"), KNOWN, (), ())
        state.commit()
        state.note(ModelName("other"), KNOWN, (), ())
        raise RuntimeError
    with opened(tmp_path) as state:
        assert state.names() == {"tiny"}


def test_only_files_of_a_name_that_are_not_any_more_are_to_be_removed(tmp_path: Path) -> None:
    tiny = ModelName("tiny")
    with opened(tmp_path) as state:
        state.note(tiny, KNOWN, (), (File("a.html", 1, True), File("b.html", 1, True)))
        state.note_files(SHARED, (File("index.html", 1, True),))
        assert state.note(tiny, KNOWN, (), (File("b.html", 1, True), File("c.html", 1, True))) == ["a.html"]
        assert state.forget(tiny) == ["b.html", "c.html"]
        assert list(state.files()) == [("index.html", SHARED, 1)]


def test_paths_that_only_capitals_tell_apart_are_known(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.note_files("a", [File(path, 1, True) for path in ("models/en/a.html", "models/en/b.html")])
        assert state.alike() == []
        state.note_files("A", [File("models/en/A.html", 1, True)])
        assert state.alike() == ["models/en/A.html"]


def test_what_models_share_is_made_anew_when_one_of_them_changed(tmp_path: Path) -> None:
    changes: tuple[Callable[[State], object], ...] = (
        lambda state: state.note(ModelName("tiny"), KNOWN, (), ()),
        lambda state: state.forget(ModelName("tiny")),
        lambda state: state.renew(),
        lambda state: state.distrust([SHARED]),
    )
    with opened(tmp_path) as state:
        for change in changes:
            state.set("shared", "done")
            change(state)
            assert state.get("shared") == ""


def test_what_is_distrusted_or_renewed_is_not_known(tmp_path: Path) -> None:
    tiny, other = ModelName("tiny"), ModelName("other")
    with opened(tmp_path) as state:
        for name in (tiny, other):
            state.note(name, KNOWN, (), ())
        state.distrust([tiny])
        assert (state.known(tiny), state.known(other)) == (None, KNOWN)
        state.renew()
        assert state.known(other) is None and state.names() == {tiny, other}


def test_another_file_in_its_place_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "site-state").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.warns(UserWarning, match="cannot be read: everything is built anew"), opened(tmp_path) as state:
        assert state.names() == set()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "site-state").mkdir()
    with pytest.raises(WellreadError, match="cannot write"), opened(tmp_path):
        pass
