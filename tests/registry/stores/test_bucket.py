"""A bucket: whose credentials, what is said when it does not work, and what its conditions lean on."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fixtures.s3 import S3, Service, refused, service
from tests.fixtures.web_server import Answer
from tests.registry.processes import start
from wellread.errors import (
    BadInput,
    HubUnavailable,
    Interrupted,
    MissingExtra,
    PublishError,
    Unreachable,
    WellreadError,
)
from wellread.registry.stores import Store, cloud, open_store, read

SECRETS = ("someone", "hush-hush")
Operation = Callable[[], object]


@pytest.fixture
def odd(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service in the place of S3."""
    with service() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


@pytest.fixture
def answering(odd: Service) -> Callable[[Answer], Store]:
    """``answering(Answer(…))`` → a bucket whose service answers only that."""

    def store(answer: Answer) -> Store:
        odd.answers.update(dict.fromkeys(("/hub/key", "/hub"), answer))
        return open_store("s3://hub")

    return store


# ---------------------------------------------------------------- addresses


def test_an_address_is_a_bucket_and_a_prefix() -> None:
    for given, url in {"S3://hub/": "s3://hub", "gs://my.hub/a/b/": "gs://my.hub/a/b", "az://hub": "az://hub"}.items():
        assert open_store(given).url == url


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///hub", "s3://me:secret@hub/a", "gs://hub/../x", "az://hub/a?b=secret", "s3://h"]
)
def test_what_is_no_address_isrefused(url: str) -> None:
    with pytest.raises(BadInput, match=r"is not a bucket's address") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_opening_imports_and_asks_nothing(s3: S3) -> None:
    script = "import sys; from wellread.registry.stores import open_store; open_store('s3://hub')"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; print('obstore' in sys.modules)"], check=True, capture_output=True
    )
    assert done.stdout.split() == [b"False"]


def test_without_obstore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'wellread\[cloud\]'"):
        open_store("s3://hub")


def test_a_key_is_the_object_of_that_name_under_the_prefix(s3: S3, bucket: str) -> None:
    store = open_store(f"{bucket}/my/hub")
    assert store.put_new("@odd/name-1.zip", b"data")
    name = bucket.removeprefix("s3://")
    assert s3.client.get_object(Bucket=name, Key="my/hub/@odd/name-1.zip")["Body"].read() == b"data"
    s3.client.put_object(Bucket=name, Key="my/hubcap", Body=b"beside it")
    s3.client.put_object(Bucket=name, Key="my/hub/.hidden/file", Body=b"nobody's")
    assert list(store.list()) == ["@odd/name-1.zip"]


def test_versions_of_the_service_tell_equal_bytes_apart(s3: S3, bucket: str) -> None:
    s3.client.put_bucket_versioning(Bucket=bucket.removeprefix("s3://"), VersioningConfiguration={"Status": "Enabled"})
    store, etags = open_store(bucket), []
    assert store.put_new("key", b"a")
    for data in (b"b", b"a", b"b"):
        stat = store.head("key")
        assert stat and store.put_if("key", data, stat.etag)
        body = store.get_range("key", unless=stat.etag)
        assert body and b"".join(body.chunks) == data
        etags.append(stat.etag)
    assert len(set(etags)) == 3


# ---------------------------------------------------------------- who signs in


@pytest.fixture
def nobody(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of that server without credentials; the home folder."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(cloud.SERVICES, "s3", cloud.SERVICES["s3"]._replace(firmware=("/nowhere", "x")))
    return tmp_path


def _publish(s3: S3, bucket: str, acl: str) -> None:
    s3.client.put_object(Bucket=bucket.removeprefix("s3://"), Key="key", Body=b"data", ACL=acl)


def test_a_public_bucket_is_read_by_nobody(s3: S3, bucket: str, nobody: Path) -> None:
    _publish(s3, bucket, "public-read")
    found = read(open_store(bucket), "key")
    assert found and found[0] == b"data"


def test_a_private_bucket_says_how_to_sign_in(s3: S3, bucket: str, nobody: Path) -> None:
    _publish(s3, bucket, "private")
    with pytest.raises(HubUnavailable, match=r"403.*nobody is signed in: set AWS_ACCESS_KEY_ID"):
        open_store(bucket).get_range("key")


def test_nobody_signs_nothing_and_sends_nothing(odd: Service, nobody: Path) -> None:
    store = open_store("s3://hub")
    assert store.head("key") is None
    with pytest.raises(PublishError, match=r"nobody is signed in: set AWS_ACCESS_KEY_ID"):
        store.put_new("key", b"")
    ((method, _, headers),) = odd.asked
    assert (method, headers["Authorization"]) == ("HEAD", None)


def test_the_shared_files_sign_in_by_the_profile_asked_for(
    s3: S3, bucket: str, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(s3, bucket, "private")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    (nobody / ".aws").mkdir()
    (nobody / ".aws/config").write_text(f"[profile work]\nregion = eu-west-1\nendpoint_url = {s3.endpoint}\n")
    (nobody / ".aws/credentials").write_text(f"[work]\naws_access_key_id = {SECRETS[0]}\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert read(open_store(bucket), "key")
    monkeypatch.setenv("AWS_PROFILE", "wrok")
    with pytest.raises(BadInput, match="AWS_PROFILE is wrok"):
        open_store(bucket).head("key")


def test_a_profile_that_signs_in_otherwise_needs_boto3(
    s3: S3, bucket: str, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(s3, bucket, "private")
    (nobody / ".aws").mkdir()
    told = '{"Version": 1, "AccessKeyId": "someone", "SecretAccessKey": "x"}'
    (nobody / ".aws/config").write_text(f"[default]\ncredential_process = echo '{told}'\n")
    assert read(open_store(bucket), "key")
    monkeypatch.setitem(sys.modules, "obstore.auth.boto3", None)
    with pytest.raises(HubUnavailable, match="pip install boto3"):
        open_store(bucket).head("key")


def test_the_endpoint_of_s3_alone_goes_first(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.endpoint)
    assert open_store(bucket).put_new("key", b"data")


def test_an_endpoint_with_a_password_isrefused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://me:hush-hush@minio.example.org")
    with pytest.raises(BadInput) as caught:
        open_store("s3://hub").head("key")
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["nonsense", "https:/h", "http://[", "http://h:99999", "http://{h}", "ftp://h"])
def test_an_endpoint_that_is_no_address_isrefused(endpoint: str, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(BadInput, match="the endpoint of S3 is no address"):
        open_store("s3://hub").head("key")


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_key_with_a_line_break_isrefused(name: str, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hush-hush\n")
    with pytest.raises(BadInput, match=f"{name} holds a line break") as refused:
        open_store("s3://hub").head("key")
    assert "hush-hush" not in str(refused.value)


EMPTY = ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CA_BUNDLE")


def test_a_variable_that_says_nothing_is_none(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build servers set what nobody told them to nothing."""
    for name in EMPTY:
        monkeypatch.setenv(name, "")
    assert open_store(bucket).put_new("key", b"data")
    for name in ("AWS_ENDPOINT_URL", *EMPTY):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        open_store("s3://hub").head("key")


def test_a_proxy_is_used(odd: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.example.org")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", odd.url)
    assert open_store("s3://hub").head("key") is None
    assert [path for _, path, _ in odd.asked] == ["http://s3.example.org/hub/key"]


# ---------------------------------------------------------------- what goes wrong


def test_a_bucket_that_is_not_there_is_said_so(s3: S3) -> None:
    store = open_store("s3://no-such-hub")
    with pytest.raises(HubUnavailable, match=r"s3://no-such-hub: there is no such bucket at http://127\.0\.0\.1"):
        store.get_range("key")
    with pytest.raises(HubUnavailable, match="no such bucket"):
        list(store.list())
    with pytest.raises(PublishError, match="no such bucket"):
        store.put_new("key", b"")
    with pytest.raises(PublishError, match="no such bucket"):
        store.put_if("key", b"", '"etag"')


@pytest.mark.parametrize(
    ("status", "code"),
    [(503, "SlowDown"), (429, "TooManyRequests"), (500, "InternalError"), (409, "ConditionalRequestConflict")],
)
def test_what_may_pass_is_worth_trying_again(answering: Callable[[Answer], Store], status: int, code: str) -> None:
    store = answering(Answer(refused(code), status))
    for operation in (
        lambda: store.get_range("key"),
        lambda: list(store.list()),
        lambda: store.put_new("key", b""),
        lambda: store.put_if("key", b"", '"etag"'),
    ):
        with pytest.raises(Interrupted, match=f"S3 is busy .{status} {code}"):
            operation()


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (401, "Unauthorized")])
def test_what_is_forbidden_says_what_is_missing(answering: Callable[[Answer], Store], status: int, code: str) -> None:
    store = answering(Answer(refused(code), status))
    with pytest.raises(HubUnavailable, match=r"may not read \(s3:GetObject, and s3:ListBucket") as refusal:
        store.get_range("key")
    assert not isinstance(refusal.value, Interrupted)
    with pytest.raises(PublishError, match="may not write"):
        store.put_new("key", b"")


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"])
def test_a_wrong_secret_is_told_from_a_lack_of_rights(answering: Callable[[Answer], Store], code: str) -> None:
    with pytest.raises(HubUnavailable, match=f"{code}: the credentials are wrong or expired; check AWS_"):
        answering(Answer(refused(code), 403)).get_range("key")


def test_another_region_is_guessed(answering: Callable[[Answer], Store]) -> None:
    with pytest.raises(HubUnavailable, match="Set AWS_REGION"):
        answering(Answer(refused("PermanentRedirect"), 301)).get_range("key")


def test_a_body_cut_short_is_interrupted_after_what_came(answering: Callable[[Answer], Store]) -> None:
    headers = {"Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT", "ETag": '"x"'}
    body = answering(Answer(b"x" * 3_000_000, headers=headers, sent=2_000_000)).get_range("key")
    assert body and body.stat.size == 3_000_000
    came = 0
    with pytest.raises(Interrupted, match="the connection to S3 broke off"):
        for chunk in body.chunks:
            came += len(chunk)
    assert came <= 2_000_000


def test_nobody_listens(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = open_store("s3://hub")
    for use in (lambda: store.head("key"), lambda: store.put_new("key", b"")):
        with pytest.raises(
            Unreachable, match=r"no connection to S3 at http://127\.0\.0\.1:9.*is that address right\?$"
        ):
            use()


def test_captive_portals_are_no_buckets(answering: Callable[[Answer], Store]) -> None:
    with pytest.raises(HubUnavailable):
        answering(Answer(b"<html>Please sign in</html>")).get_range("key")


def test_no_message_holds_a_secret(answering: Callable[[Answer], Store]) -> None:
    for status in (200, 301, 400, 401, 403, 404, 409, 412, 418, 500, 503):
        store = answering(Answer(refused("Odd"), status))
        operations: tuple[Operation, ...] = (
            partial(store.head, "key"),
            partial(list, store.list()),
            partial(store.put_new, "key", b""),
        )
        said = " ".join(map(_complaint, operations))
        assert not any(secret in said for secret in SECRETS)


def _complaint(operation: Operation) -> str:
    try:
        operation()
    except WellreadError as error:
        return str(error)
    return ""


def test_a_file_too_large_for_one_step_is_refused_before_it_is_sent(s3: S3, bucket: str, tmp_path: Path) -> None:
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(5_000_000_001)
    with pytest.raises(PublishError, match=r"huge\.zip has 5000000001 bytes.*nothing was sent"):
        open_store("s3://no-such-hub").put_new("huge.zip", tmp_path / "huge.zip")


def test_a_file_that_is_gone_is_said_so(s3: S3, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(WellreadError, match=r"cannot read .*gone\.zip"):
        open_store(bucket).put_new("gone.zip", tmp_path / "gone.zip")


_UPLOAD = """
import sys, threading, time
from pathlib import Path
from wellread.registry.stores import open_store

def anonymous():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])

store, peak, running = open_store(sys.argv[1]), [0], True
store.put_new("small", b"so that all is imported")
def watch():
    while running:
        peak.append(anonymous())
        time.sleep(0.002)
before = anonymous()
thread = threading.Thread(target=watch)
thread.start()
store.put_new("large", Path(sys.argv[2]))
running = False
thread.join()
print(max(peak) - before)
"""


def test_an_upload_is_not_in_memory(s3: S3, bucket: str, tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("/proc is not mounted")
    with (tmp_path / "large.zip").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with start(_UPLOAD, bucket, tmp_path / "large.zip") as child:
        said = child.communicate()[0]
    assert int(said) < 24 * 1024, said
    stat = open_store(bucket).head("large")
    assert stat and stat.size == 64 * 1024 * 1024


# ---------------------------------------------------------------- other processes


def _read_in_child(url: str, said: multiprocessing.Queue[str]) -> None:
    try:
        found = read(open_store(url), "key")
        said.put(str(found and found[0]))
    except HubUnavailable as error:
        said.put(str(error))


def _said_by_child(url: str, method: str) -> str:
    context = multiprocessing.get_context(method)
    said: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(target=_read_in_child, args=(url, said))  # type: ignore[attr-defined]
    child.start()
    try:
        return said.get(timeout=60)
    finally:
        child.kill()
        child.join()


_FORKS = """
import os, sys
from tests.registry.stores.test_bucket import _said_by_child
from wellread.registry.stores import open_store, read
print(_said_by_child(sys.argv[1], "fork"))
read(open_store(sys.argv[1]), "key")
print(_said_by_child(sys.argv[1], "fork"))
print(_said_by_child(sys.argv[1], "spawn"))
"""


def test_processes_read_unless_they_were_forked_off_a_reader(s3: S3, bucket: str) -> None:
    assert open_store(bucket).put_new("key", b"data")
    with start(_FORKS, bucket, PYTHONPATH=Path.cwd()) as child:
        first, forked, spawned = child.communicate()[0].splitlines()
    assert (first, spawned) == ("b'data'", "b'data'")
    assert "cannot be reached from a process that was forked off" in forked
