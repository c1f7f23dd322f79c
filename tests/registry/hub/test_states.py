"""States and aliases: changed with a reason, undone, signed anew, and never by who has no right to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, IntegrityError, NotFound, PublishError
from wellread.registry.hub import index, states
from wellread.registry.hub.entries import SIGNED, parse_index
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Release, encode
from wellread.registry.resolve.search import find
from wellread.registry.stores import Store, open_store
from wellread.registry.trust.keys import Key, new_key
from wellread.registry.trust.signing import signers

TINY, EN = ModelName("tiny"), Lang("en")
FIRST = f"2.6.0_2.4_{TIME}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A hub with one release."""
    store = open_store(tmp_path / "hub")
    index.add_release(store, released())
    return store


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    return new_key()[0]


def _change(store: Store, act: states.Act, reason: str = "", **asked: Any) -> list[tuple[int, str, str]]:
    given: dict[str, Any] = {"version": None, "folder": "public/models", "undo": not reason} | asked
    changed = states.change_state(store, act, TINY, EN, reason=reason, **given)
    return [(release.time - TIME, release.state, release.why) for release in changed]


def _lines(store: Store) -> list[bytes]:
    return (Path(store.url) / index.index_key(TINY)).read_bytes().splitlines()


def _state(store: Store) -> list[str]:
    return [release.state for release in index.read_releases(store, TINY)]


def test_a_release_is_yanked_and_that_is_undone(store: Store) -> None:
    assert _change(store, "yank", " wrong\n vocabulary ") == [(0, "yanked", "wrong vocabulary")]
    (yanked,) = index.read_releases(store, TINY)
    assert yanked == released(serial=2, state="yanked", why="wrong vocabulary")
    assert _change(store, "yank") == [(0, "ready", "")]
    assert index.read_releases(store, TINY) == (released(serial=3),)


def test_what_is_so_already_is_not_written_again(store: Store) -> None:
    _change(store, "yank", "wrong")
    before = _lines(store)
    assert _change(store, "yank", "wrong") == [(0, "yanked", "wrong")]
    assert _lines(store) == before
    assert _change(store, "yank", "very wrong") == [(0, "yanked", "very wrong")]


def test_a_yanked_release_is_had_by_its_id_only_with_the_reason(store: Store) -> None:
    _change(store, "yank", "wrong vocabulary")
    with pytest.raises(NotFound, match="was yanked: wrong vocabulary"):
        find(TINY, EN, hub=store.url)
    with pytest.warns(UserWarning, match="was yanked: wrong vocabulary"):
        find(TINY, EN, hub=store.url, version=FIRST)


def test_to_yank_one_of_several_it_must_be_named(store: Store) -> None:
    index.add_release(store, released(time=TIME + 1))
    index.add_release(store, released(time=TIME + 2, library_version="2.7.0"))
    with pytest.raises(BadInput, match=f"3 releases: say which with --version: {FIRST}"):
        _change(store, "yank", "wrong")
    with pytest.raises(NotFound, match=r"no release '2\.6\.0_2\.4_1'\. Available: .*Did you mean"):
        _change(store, "yank", "wrong", version="2.6.0_2.4_1")
    with pytest.raises(NotFound, match=r"2 releases '2\.6\.0'"):
        _change(store, "yank", "wrong", version="2.6.0")
    assert _change(store, "yank", "wrong", version="2.7.0") == [(2, "yanked", "wrong")]
    assert _change(store, "yank", "wrong", version=FIRST) == [(0, "yanked", "wrong")]
    assert _state(store) == ["yanked", "ready", "yanked"]


def test_a_model_is_deprecated_as_a_whole_but_what_was_yanked_stays_so(store: Store) -> None:
    for moment in (1, 2):
        index.add_release(store, released(time=TIME + moment))
    _change(store, "yank", "wrong", version=FIRST)
    assert _change(store, "deprecate", "use another") == [
        (1, "deprecated", "use another"),
        (2, "deprecated", "use another"),
    ]
    assert _state(store) == ["yanked", "deprecated", "deprecated"]
    assert _change(store, "deprecate") == [(1, "ready", ""), (2, "ready", "")]
    assert _state(store) == ["yanked", "ready", "ready"]


@pytest.mark.parametrize(
    ("before", "act", "reason", "said"),
    [
        ("ready", "yank", "", "is ready, not yanked: there is nothing to undo"),
        ("ready", "deprecate", "", "is ready, not deprecated: there is nothing to undo"),
        ("deprecated", "yank", "", "is deprecated, not yanked: undo that with 'wellread deprecate --undo'"),
        ("yanked", "deprecate", "", "is yanked, not deprecated"),
        (
            "yanked",
            "deprecate",
            "old",
            "is yanked, not ready or deprecated: undo that first with 'wellread yank --undo'",
        ),
    ],
)
def test_nothing_that_was_yanked_comes_back_by_the_way(
    store: Store, before: Any, act: states.Act, reason: str, said: str
) -> None:
    states.set_state(store, TINY, EN, FIRST, "public/models", before, "why")
    with pytest.raises(PublishError) as caught:
        _change(store, act, reason)
    assert said in str(caught.value)
    assert _state(store) == [before]


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501, "bell \a"])
def test_a_reason_is_one_line_that_can_be_read(store: Store, reason: str) -> None:
    with pytest.raises(BadInput, match="a reason is needed"):
        _change(store, "yank", reason, undo=False)
    assert _state(store) == ["ready"]


def test_what_is_not_there_is_said_with_what_is(store: Store) -> None:
    index.add_release(store, released(language="de"))
    with pytest.raises(NotFound, match="has no release in the folder 'clinical/models'"):
        _change(store, "yank", "wrong", folder="clinical/models")
    with pytest.raises(NotFound, match=r"not in .* in 'fr'. Available: de, en"):
        states.change_state(store, "yank", TINY, Lang("fr"), version=None, folder="public/models", reason="wrong")
    with pytest.raises(NotFound, match=f"lists no other. 'wellread list --hub {store.url}' shows what is there"):
        states.change_state(store, "yank", ModelName("other"), EN, version=None, folder="public/models", reason="wrong")


# ---------------------------------------------------------------- the line


def test_the_line_is_signed_anew_and_all_others_stay_as_they_are(store: Store, key: Key) -> None:
    index.add_release(store, released(time=TIME + 1), [key])
    path = Path(store.url) / index.index_key(TINY)
    odd = _lines(store)[0].replace(b'"why":', b'"later": {"b": 1.0},  "why":').replace(b"{", b'{"beside":[1.50], ', 1)
    later = b'{"release":{"format":2,"serial":9},  "signatures":[]}'
    path.write_bytes(b"\n".join([later, odd, _lines(store)[1]]))
    other = _lines(store)[2]
    states.set_state(store, TINY, EN, FIRST, "public/models", "yanked", "wrong", [key])
    lines = _lines(store)
    assert (lines[0], lines[2]) == (later, other)
    assert (b'"later":{"b": 1.0}' in lines[1], lines[1].startswith(b'{"beside":[1.50],')) == (True, True)
    with pytest.warns(UserWarning, match="need a later wellread"):
        (first, _) = parse_index(path.read_bytes(), TINY, "the index")
    assert (first.release.state, first.release.serial) == ("yanked", 10)
    assert signers(SIGNED, first.said, first.signatures) == (key.id,)


def test_a_signed_line_is_not_changed_without_a_key(store: Store, key: Key) -> None:
    index.add_release(store, released(), [key])
    before = _lines(store)
    with pytest.raises(PublishError, match="is signed, and would lose that: give the key"):
        _change(store, "yank", "wrong")
    assert _lines(store) == before
    _change(store, "yank", "wrong", keys=[key])
    (listed,) = parse_index(_lines(store)[0], TINY, "the index")
    assert signers(SIGNED, listed.said, listed.signatures) == (key.id,)


def test_a_release_that_needs_a_later_wellread_is_left_alone(store: Store) -> None:
    line = {"release": json.loads(encode(released(time=TIME + 1))) | {"format": 2}}
    path = Path(store.url) / index.index_key(TINY)
    path.write_bytes(path.read_bytes() + json.dumps(line).encode())
    with pytest.raises(PublishError, match="needs a later wellread"):
        states.set_state(store, TINY, EN, f"2.6.0_2.4_{TIME + 1}", "public/models", "yanked", "wrong")


def test_bytes_that_were_barred_are_no_release(store: Store) -> None:
    never = released(time=TIME + 1)
    index.bar(store, never, "1" * 64)
    with pytest.raises(NotFound, match="lists no public/models/tiny_en"):
        states.set_state(store, TINY, EN, never.id, "public/models", "yanked", "wrong")


# ---------------------------------------------------------------- aliases


def _stands_for(store: Store, reference: str) -> tuple[str, str] | None:
    alias = index.read_alias(store, reference)
    return (alias.name, alias.language) if alias else None


def test_an_alias_is_made_moved_and_removed(store: Store) -> None:
    index.add_release(store, released(name="other"))
    assert states.set_alias(store, "en.embed.tiny", TINY, EN) is None
    assert _stands_for(store, "en.embed.tiny") == ("tiny", "en")
    was = states.set_alias(store, "en.embed.tiny", ModelName("other"), EN)
    assert was and was.name == "tiny"
    assert _stands_for(store, "en.embed.tiny") == ("other", "en")
    assert states.remove_alias(store, "en.embed.tiny").name == "other"
    assert _stands_for(store, "en.embed.tiny") is None
    with pytest.raises(NotFound, match="stands for nothing"):
        states.remove_alias(store, "en.embed.tiny")
    assert states.set_alias(store, "en.embed.tiny", TINY, EN) is None


def test_an_alias_stands_for_a_model_that_there_is_and_hides_none(store: Store) -> None:
    shown = rf"lists no tinny\. .*'wellread list --hub {store.url}' shows what is there"
    with pytest.raises(NotFound, match=shown):
        states.set_alias(store, "en.tiny", ModelName("tinny"), EN)
    with pytest.raises(NotFound, match=r"in 'de'\. Available: en"):
        states.set_alias(store, "en.tiny", TINY, Lang("de"))
    with pytest.raises(BadInput, match="tiny is a model of"):
        states.set_alias(store, "tiny", TINY, EN)
    with pytest.raises(BadInput, match="not a reference"):
        states.set_alias(store, "../tiny", TINY, EN)


def test_a_broken_alias_is_written_anew_and_one_of_a_later_format_is_not(store: Store) -> None:
    path = Path(store.url) / index.alias_key("en.tiny")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    assert states.set_alias(store, "en.tiny", TINY, EN) is None
    assert _stands_for(store, "en.tiny") == ("tiny", "en")
    path.write_bytes(b'{"format":2}')
    with pytest.raises(IntegrityError, match="upgrade"):
        states.set_alias(store, "en.tiny", TINY, EN)
    assert path.read_bytes() == b'{"format":2}'


def test_states_are_told_apart_by_folder_and_language(store: Store) -> None:
    others: list[Release] = [released(folder="clinical/models"), released(language="de")]
    for other in others:
        index.add_release(store, other)
    _change(store, "yank", "wrong")
    assert _state(store) == ["yanked", "ready", "ready"]
