"""A hub with its site laid over it: whose bytes are shown, and that they follow the hub."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.security.hostile import make_hub
from wellread.errors import BadInput, HubUnavailable, WellreadError
from wellread.model_cards.site import served
from wellread.model_cards.site.build import build_site
from wellread.model_cards.site.served import Overlay, ServedSite, folder_of, mark_of
from wellread.registry.cache import upkeep
from wellread.registry.hub import states
from wellread.registry.hub.info import describe_hub
from wellread.registry.names import Lang, ModelName
from wellread.registry.stores import Store, open_store, read

PAGE = "models/en/tiny.html"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks npm for the demo's runtime."""
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")


@pytest.fixture
def hub(tmp_path: Path) -> Store:
    make_hub(tmp_path / "hub")
    return open_store(tmp_path / "hub")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def site(hub: Store, log: list[str]) -> ServedSite:
    return ServedSite(hub, folder_of(hub), log.append)


def shown(store: Store, key: str) -> str:
    found = read(store, key)
    return found[0].decode() if found else ""


def yank(hub: Store) -> None:
    states.change_state(
        hub, "yank", ModelName("tiny"), Lang("en"), reason="a wrong vocabulary", version=None,
        folder="public/models", undo=False,
    )  # fmt: skip


def test_a_page_wins_over_a_key_and_the_rest_is_the_hubs(tmp_path: Path) -> None:
    hub, pages = open_store(tmp_path / "hub"), open_store(tmp_path / "pages")
    for store, text in ((pages, b"page"), (hub, b"key")):
        store.put_new("both.html", text)
    hub.put_new("only.html", b"key only")
    asked: list[int] = []
    both = Overlay(hub, pages, lambda: asked.append(1))
    assert (shown(both, "both.html"), shown(both, "only.html")) == ("page", "key only")
    assert both.head("only.html") == hub.head("only.html") and both.head("none.html") is None
    assert both.head("hub.json") is None and len(asked) == 2
    assert list(both.list()) == ["both.html", "only.html"] and both.url == hub.url


def test_links_stay_at_the_address_where_it_is_shown(site: ServedSite, hub: Store) -> None:
    describe_hub(hub, mirrors=("https://models.example",))
    assert site.look()
    assert 'href="../../public/models/tiny_en' in shown(site.store, PAGE)


def test_pages_that_were_built_into_the_hub_some_time_ago_are_not_shown(site: ServedSite, hub: Store) -> None:
    build_site(hub, hub.url, demo=False)
    describe_hub(hub, name="Models of the house")
    assert site.look()
    assert "Models of the house" in shown(site.store, "index.html")
    assert "Models of the house" not in shown(hub, "index.html")


def test_the_site_is_built_over_the_hub_and_not_into_it(site: ServedSite, hub: Store, home: Path) -> None:
    before = list(hub.list())
    assert site.look()
    assert "tiny" in shown(site.store, "index.html") and "tiny" in shown(site.store, PAGE)
    assert shown(site.store, "public/models/tiny_en_2.6.0_2.4_1598344705269.proof.json")
    assert list(hub.list()) == before
    assert folder_of(hub).is_relative_to(home / "cache/sites")


def test_a_hub_that_did_not_change_is_not_built_again(site: ServedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.look()
    monkeypatch.setattr(served, "build_site", lambda *_, **__: pytest.fail("built again"))
    assert site.look()


def test_what_changes_in_the_hub_is_shown(site: ServedSite, hub: Store) -> None:
    assert site.look()
    assert "a wrong vocabulary" not in shown(site.store, PAGE)
    yank(hub)
    describe_hub(hub, name="Models of the house")
    assert site.look()
    assert "a wrong vocabulary" in shown(site.store, PAGE)
    assert "Models of the house" in shown(site.store, "index.html")


def test_each_change_of_a_hub_gives_it_another_mark(hub: Store) -> None:
    marks = [mark_of(hub)]
    assert mark_of(hub) == marks[0]
    for change in (
        lambda: yank(hub),
        lambda: describe_hub(hub, name="Other"),
        lambda: hub.put_new("aliases/00/a.json", b""),
    ):
        change()
        marks.append(mark_of(hub))
    assert len(set(marks)) == len(marks)


def test_a_build_that_fails_leaves_the_site_and_a_line(
    site: ServedSite, hub: Store, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.look()
    page = shown(site.store, PAGE)
    yank(hub)
    for error in (WellreadError("the disk is full"), HubUnavailable("away"), ZeroDivisionError("a defect")):

        def failing(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(served, "build_site", failing)
            assert not site.look() and not site.look()
    assert shown(site.store, PAGE) == page
    assert log == [
        f"the site stays as it is: {reason}" for reason in ("the disk is full", "away", "ZeroDivisionError: a defect")
    ]
    assert site.look() and shown(site.store, PAGE) != page


def test_who_comes_before_the_first_build_waits_for_it(site: ServedSite) -> None:
    with site:
        assert "tiny" in shown_when_asked(site.store, "index.html")
        site.wanted()


def shown_when_asked(store: Store, key: str) -> str:
    assert store.head(key)
    return shown(store, key)


def test_who_waited_long_enough_is_told_to_look_again(site: ServedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()
    monkeypatch.setattr(served, "_PATIENCE", 0.0)
    monkeypatch.setattr(served, "build_site", lambda *_, **__: going_on.wait(10))
    with site:
        page = shown_when_asked(site.store, "index.html")
        going_on.set()
    assert "being made" in page and "<script" not in page


def test_the_end_does_not_wait_for_what_a_build_has_under_way(
    site: ServedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, children = threading.Event(), []

    def build(*_: object, **__: object) -> None:
        children.append(multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,)))
        children[0].start()
        started.set()
        children[0].join()

    monkeypatch.setattr(served, "_FAREWELL", 0.2)
    monkeypatch.setattr(served, "build_site", build)
    with site:
        assert started.wait(30)
    children[0].join(30)
    assert children[0].exitcode == -signal.SIGTERM


def test_while_it_is_shown_it_follows_the_hub(site: ServedSite, hub: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_GAP", 0.02)
    with site:
        assert site.store.head("index.html")
        yank(hub)
        deadline = time.monotonic() + 30
        while "a wrong vocabulary" not in shown(site.store, PAGE) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "a wrong vocabulary" in shown(site.store, PAGE)


def test_what_somebody_deleted_is_made_again(site: ServedSite) -> None:
    assert site.look()
    shutil.rmtree(site.folder)
    assert site.look() and site.store.head(PAGE)


def test_while_it_is_shown_it_is_not_pruned(site: ServedSite, hub: Store, log: list[str]) -> None:
    with ServedSite(hub, site.folder, log.append), site:
        assert site.store.head("index.html")
        freed = upkeep.remove_all()
        assert [item.path for item in freed.busy] == [site.folder] and freed.removed == ()
    assert [item.path for item in upkeep.remove_all().removed] == [site.folder]


def test_what_a_build_keeps_for_itself_is_not_shown(site: ServedSite) -> None:
    assert site.look() and (site.folder / ".wellread/site-state").exists()
    for key in (".wellread/site-state", "../sites", "models/../.wellread/site-state", "/etc/passwd"):
        with pytest.raises(BadInput):
            site.store.head(key)


def test_where_the_site_has_no_place_the_hub_is_shown_alone(hub: Store, tmp_path: Path, log: list[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    with ServedSite(hub, tmp_path / "file/site", log.append) as site:
        assert site.store.head("index.html") is None
        assert site.store.head("catalog.jsonl") == hub.head("catalog.jsonl")
    assert len(log) == 1 and "cannot write" in log[0]
