"""The live demo's page, when there is one, and what it runs on; how it runs is seen in tests/browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import FORMS, make_manifest, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.pages import vendored
from wellread.model_cards.site.pages.demo import demo_page, vendor, why_not
from wellread.model_cards.site.places import Site

SITE = Site(title="The house", demo="")
TAKEN = {f"demo/vendor/{name}" for name in ("ort.js", "ort.wasm", "tokenizers.js", "tokenizers.LICENSE.txt")}
FLOAT_ONLY = {"onnx": FORMS["onnx"]}


def model(problem: str = "", state: Any = "ready", **fields: Any) -> Model:
    manifest = None if problem else make_manifest(**fields)
    release = released(state=state)
    return Model(release.name, release.language, (Published(release, manifest=manifest, problem=problem),))


def site(**fields: Any) -> Site:
    return replace(SITE, **fields)


# ---------------------------------------------------------------- why not


@pytest.mark.parametrize(
    ("shown", "fields", "reason"),
    [
        (model(), {}, ""),
        (model(state="deprecated"), {"download": "https://hub.example/models"}, ""),
        (model(), {"download": "http://hub.example:8000"}, ""),
        (model(), {"address": "https://site.example", "download": "http://127.0.0.1:8000"}, ""),
        (model(), {"demo": "npm is not there"}, "npm is not there"),
        (model(problem="it is a zip of Spark NLP's"), {}, "it is a zip of Spark NLP's"),
        (model(state="yanked"), {}, "this release was taken back"),
        (model(forms=FLOAT_ONLY), {}, "this release has no form onnx-int8, the one that a browser runs"),
        (
            model(),
            {"download": "s3://bucket/hub"},
            "no browser reads this hub: it has no address that begins with https://",
        ),
        (
            model(),
            {"address": "https://site.example", "download": "http://hub.example"},
            "a page of https may not read a hub of http",
        ),
    ],
)
def test_a_button_says_why_it_cannot_be_pressed(shown: Model, fields: dict[str, str], reason: str) -> None:
    assert why_not(site(**fields), shown) == reason


# ---------------------------------------------------------------- the page


def policy_of(page: str) -> dict[str, list[str]]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found
    directives = found[1].replace("&#39;", "'").split("; ")
    return {name: values for name, *values in map(str.split, directives)}


def test_the_page_may_compile_webassembly_and_read_the_hub_and_nothing_more() -> None:
    policy = policy_of(demo_page(site(download="https://Hub.example:8443/some/models")))
    assert policy["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert policy["connect-src"] == ["'self'", "https://hub.example:8443"]
    assert policy["default-src"] == ["'none'"] and policy["style-src"] == ["'self'"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "s3://bucket",
        "https://a.example;script-src *",
        "https://me:secret@a.example",
        'https://a"b',
        "https://[",
        "//a",
    ],
)
def test_what_is_no_plain_address_never_gets_into_the_policy(address: str) -> None:
    page = demo_page(site(download=address))
    assert policy_of(page)["connect-src"] == ["'self'"]
    assert policy_of(page)["script-src"] == ["'self'", "'wasm-unsafe-eval'"]


def test_a_site_without_the_runtime_says_so_and_loads_no_script() -> None:
    page = demo_page(site(demo="npm is <b>not</b> installed"))
    assert "npm is &lt;b&gt;not&lt;/b&gt; installed" in page
    assert "demo/demo.js" not in page and "<form id=" not in page


def test_every_control_of_the_page_has_a_name() -> None:
    page = demo_page(SITE)
    assert set(re.findall(r'<label for="(\w+)"', page)) == set(re.findall(r'<textarea id="(\w+)"', page))
    assert 'id="reason"' in page and 'role="status"' in page and "<noscript>" in page


def test_no_script_makes_markup_of_what_it_is_given() -> None:
    for script in vendored.FOLDER.glob("*.js"):
        text = script.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            script
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)\w", text.replace("https:// ", "")), script


# ---------------------------------------------------------------- what it runs on


NPM = """#!/bin/sh
echo "$*" >> "$NPM_CALLS"
{does}
"""
BRINGS = """
for file in {files}; do mkdir -p "node_modules/$(dirname $file)"; echo $file > "node_modules/$file"; done
"""
Npm = Callable[[str], Path]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """``npm(script)`` puts a program of that name on the path, alone; returns the file of its calls."""

    def put(does: str) -> Path:
        program = tmp_path / "bin/npm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(NPM.format(does=does))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        monkeypatch.setenv("NPM_CALLS", str(tmp_path / "calls"))
        return tmp_path / "calls"

    return put


def test_the_runtime_is_brought_once(npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = npm(BRINGS.format(files=" ".join(vendored.TAKEN.values())))
    (tmp_path / "cache/demo/.npm-of-one-that-was-killed/node_modules").mkdir(parents=True)
    first = vendor(tmp_path / "cache")
    assert first.problem == "" and set(first.files) == TAKEN
    assert first.files["demo/vendor/ort.js"].read_text() == "onnxruntime-web/dist/ort.wasm.bundle.min.mjs\n"
    assert "ci" in calls.read_text() and "--ignore-scripts" in calls.read_text()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    assert vendor(tmp_path / "cache") == first
    assert len(calls.read_text().splitlines()) == 1
    assert sorted(path.name for path in (tmp_path / "cache/demo").iterdir() if path.is_dir()) == [
        first.files["demo/vendor/ort.js"].parent.name
    ]


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        ("echo 'npm error code ENOTFOUND' >&2; exit 1", "npm could not reach its registry when this site was built"),
        ("echo 'npm ERR! code ECONNREFUSED' >&2; exit 1", "npm could not reach its registry when this site was built"),
        ("echo 'npm error code EINTEGRITY' >&2; exit 1", "what npm brought is not what this version of wellread pins"),
        ("echo 'npm error code EBADENGINE' >&2; exit 7", "npm failed when this site was built (EBADENGINE)"),
        ("exit 9", "npm failed when this site was built (no code)"),
        ("exec sleep 20", "npm took longer than 0 seconds when this site was built"),
        ("exit 0", "the runtime could not be put in place on the machine that built this site"),
    ],
)
def test_what_goes_wrong_is_a_reason_without_a_path_and_leaves_nothing(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, problem: str
) -> None:
    npm(does)
    monkeypatch.setattr(vendored, "_PATIENCE", 0.3 if "sleep" in does else 60.0)
    found = vendor(tmp_path / "cache")
    assert (dict(found.files), found.problem) == ({}, problem)
    assert [path for path in (tmp_path / "cache/demo").iterdir() if path.is_dir()] == []


def test_an_npm_that_failed_is_not_asked_again(npm: Npm, tmp_path: Path) -> None:
    calls = npm("echo 'npm error code ENOTFOUND' >&2; exit 1")
    first = vendor(tmp_path / "cache")
    assert vendor(tmp_path / "cache") == first and first.problem
    assert len(calls.read_text().splitlines()) == 1
    calls.unlink()
    assert vendor(tmp_path / "another").problem and calls.exists()


def test_without_npm_or_a_network_there_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: Npm) -> None:
    npm("exit 0")
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    assert vendor(tmp_path).problem == "this site was built offline, before npm had ever brought the runtime"
    monkeypatch.delenv("WELLREAD_OFFLINE")
    monkeypatch.setenv("PATH", "")
    assert vendor(tmp_path).problem == "npm is not installed on the machine that built this site"


def test_what_npm_brings_is_pinned_by_digest_and_from_no_particular_registry() -> None:
    asked = json.loads((vendored.FOLDER / "package.json").read_text())["dependencies"]
    lock = json.loads((vendored.FOLDER / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == asked
    packages = {path: package for path, package in lock["packages"].items() if path}
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for package in packages.values():
        assert package["integrity"].startswith("sha512-") and "resolved" not in package
