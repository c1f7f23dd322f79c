"""``wellread serve``: it says where it is, serves hub and site until Ctrl-C, and says why it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.command import Command
from tests.security.hostile import make_hub
from wellread.registry.hub.info import describe_hub
from wellread.registry.stores import open_store, read

BROWSER = {"Accept": "text/html"}
WITHOUT_EXTRA = "import sys; sys.modules['jinja2'] = None; from wellread.cli import main; main()"
"""The program on a machine that lacks the extra."""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks npm for the demo's runtime, nor a proxy for this machine."""
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def start(*arguments: object, program: tuple[str, ...] = ("-m", "wellread.cli")) -> subprocess.Popen[str]:
    command = [sys.executable, *program, "serve", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_lines(running: subprocess.Popen[str], count: int = 1) -> str:
    assert running.stdout
    return "".join(running.stdout.readline() for _ in range(count))


def looks(browser: requests.Session, url: str) -> Iterator[str]:
    """The first page, looked at again and again for half a minute at most."""
    for _ in range(300):
        yield browser.get(f"{url}/", headers=BROWSER, timeout=30).text
        time.sleep(0.1)


def interrupted(running: subprocess.Popen[str]) -> tuple[str, str]:
    """What it still says when somebody presses Ctrl-C."""
    running.send_signal(signal.SIGINT)
    return running.communicate()


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    open_store(tmp_path / "hub").put_new("hub.json", b'{"name": "tiny"}')
    with start("--hub", tmp_path / "hub", "--no-site") as running:
        said = first_lines(running)
        url = said.split()[0]
        assert said == f"{url} serves {tmp_path / 'hub'}; Ctrl-C ends it\n"
        found = read(open_store(url), "hub.json")
        assert found and found[0] == b'{"name": "tiny"}'
        assert requests.get(url, headers=BROWSER, timeout=30).status_code == 404
        assert interrupted(running) == ("", "")
    assert running.returncode == 0


def test_whoever_stops_it_need_not_be_at_the_keyboard(tmp_path: Path) -> None:
    open_store(tmp_path / "hub").put_new("hub.json", b'{"name": "tiny"}')
    with start("--hub", tmp_path / "hub") as running:
        url = first_lines(running).split()[0]
        assert requests.get(f"{url}/hub.json", timeout=30).status_code == 200
        running.send_signal(signal.SIGTERM)
        assert running.communicate() == ("", "")
    assert running.returncode == 0


def test_it_shows_the_site_of_the_hub_and_follows_it(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    _, release = make_hub(hub)
    with start("--hub", hub) as running, requests.Session() as browser:
        said = first_lines(running)
        url = said.split()[0]
        assert said == f"{url} serves {hub} and shows its site; Ctrl-C ends it\n"
        page = browser.get(f"{url}/", headers=BROWSER, timeout=60)
        assert page.status_code == 200 and "models/en/tiny.html" in page.text
        assert browser.get(f"{url}/{release.path}", headers={"Range": "bytes=0-1"}, timeout=30).content == b"PK"
        missing = browser.get(f"{url}/nope.html", headers=BROWSER, timeout=30)
        assert missing.status_code == 404 and "<html" in missing.text
        describe_hub(open_store(hub), name="Models of the house")
        assert any("Models of the house" in each for each in looks(browser, url))
        assert interrupted(running) == ("", "")
    assert running.returncode == 0


def test_without_the_extra_the_hub_is_served_and_a_line_says_how_to_see_its_pages(tmp_path: Path) -> None:
    _, release = make_hub(tmp_path / "hub")
    with start("--hub", tmp_path / "hub", program=("-c", WITHOUT_EXTRA)) as running:
        said = first_lines(running)
        assert "site" not in said
        assert open_store(said.split()[0]).head(release.path)
        out, err = interrupted(running)
    assert (out, running.returncode) == ("", 0)
    assert err == "wellread: no pages are shown: jinja2 is not installed: pip install 'wellread[site]'\n"


@pytest.mark.parametrize(("options", "origin"), [((), None), (("--cors",), "*"), (("--host", "0.0.0.0"), None)])
def test_who_else_may_read_it(tmp_path: Path, options: tuple[str, ...], origin: str | None) -> None:
    open_store(tmp_path / "hub").put_new("hub.json", b'{"name": "tiny"}')
    with start("--hub", tmp_path / "hub", "--no-site", *options) as running:
        port = first_lines(running).split()[0].rpartition(":")[2]
        answer = requests.get(f"http://127.0.0.1:{port}/hub.json", timeout=30)
        assert answer.headers.get("Access-Control-Allow-Origin") == origin
        interrupted(running)


@pytest.mark.parametrize(("options", "page"), [((), "/index.html"), (("--no-site",), None)])
def test_json_gives_the_addresses_of_the_users_own_hub(home: Path, options: tuple[str, ...], page: str | None) -> None:
    (home / "hub").mkdir(parents=True)
    with start("--json", *options) as running:
        said = json.loads(first_lines(running, 4))
        assert said == {"url": said["url"], "site": page and said["url"] + page}
        assert open_store(said["url"]).head("hub.json") is None
        assert interrupted(running) == ("", "")
    assert running.returncode == 0


def test_what_cannot_be_served_is_explained(command: Command, tmp_path: Path) -> None:
    missing = command("serve", "--hub", tmp_path / "absent")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no folder" in missing.err and "absent" in missing.err
    two = command("serve", "--hub", f"{tmp_path},http://me:secret@127.0.0.1:9/x/")
    assert two.code == 1 and f"one hub can be served, and 2 are named ({tmp_path}, http://127.0.0.1:9/x)" in two.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("serve", "--hub", tmp_path, "--port", port)
    assert refused.code == 1 and f"cannot listen at 127.0.0.1:{port}: {os.strerror(98)}" in refused.err
    assert command("serve", "--hub", tmp_path, "--port", "99999").code == 2
