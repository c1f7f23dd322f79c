"""A bucket as a store: ``s3://bucket/prefix``, ``gs://bucket/prefix``, ``az://container/prefix``.

A key is the object ``prefix/key``. ``put_new`` is one PUT with ``If-None-Match: *``, ``put_if`` one with ``If-Match``
(on Google's store the generation), so the service itself keeps the promise; an upload in parts is never made, for not
every service checks that condition at its end. The etag is the service's, and its version where it has one: on S3
without versions it is a hash, so writing back the bytes of an earlier version gives the earlier etag.

obstore speaks all three protocols. Its errors carry no fields, so the status and the service's own code are read out of
their text; the text itself, which may hold a signed address, goes into no message.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from wellread.errors import BadInput, HubUnavailable, Interrupted, PublishError, Unreachable, WellreadError
from wellread.registry.pieces import CHUNK
from wellread.registry.stores import Body, Stat, check_key, cloud, is_key
from wellread.registry.stores.reasons import without_secrets

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta


MAX_UPLOAD = 5_000_000_000
"""Bytes that every service takes in one PUT."""

_URL = re.compile(
    r"(?P<scheme>s3|gs|az)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._\-]{1,254})(/(?P<prefix>.*))?", re.IGNORECASE
)
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted")
_EXISTS = ("BlobAlreadyExists",)
"""What Azure calls a 409 that means what elsewhere is a 412."""
_WRONG_SECRET = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "AuthenticationFailed")
_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
_UNANSWERED = "kind: Connect"
_BROKEN = re.compile(r"kind: (Request|Timeout|Interrupted|Decode|Body)|error decoding response body")
_METADATA = re.compile(r"169\.254\.|metadata\.google\.internal|/latest/api/token")
_MOVED = "redirect without LOCATION"
"""How obstore puts a 301, with which S3 sends to another region."""
_USED_IN: set[int] = set()
"""The processes, this one and those that it was forked off, in which obstore was used."""


def open_store(url: str | Path) -> BucketStore:
    """The store in a bucket, which is not looked at yet. Raises BadInput, MissingExtra."""
    found = _URL.fullmatch(str(url).rstrip("/"))
    if found is None or (found["prefix"] and not is_key(found["prefix"])):
        shown = without_secrets(str(url))
        raise BadInput(
            f"{shown} is not a bucket's address: write s3://bucket or s3://bucket/prefix, of letters, digits, _ - . /"
        )
    cloud.check_installed()
    return BucketStore(found["scheme"].lower(), found["bucket"], found["prefix"] or "")


class BucketStore:
    """See the module. Any thread may use it, but no process that was forked off one which used obstore."""

    def __init__(self, scheme: str, bucket: str, prefix: str) -> None:
        self.url = f"{scheme}://{bucket}{'/' if prefix else ''}{prefix}"
        self._scheme, self._bucket, self._prefix = scheme, bucket, prefix
        self._service = cloud.SERVICES[scheme]

    def head(self, key: str) -> Stat | None:
        obstore = _library(self.url)
        with self._asking(check_key(key)):
            try:
                return self._stat(obstore.head(self._reader, key))
            except FileNotFoundError:
                return None

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        if length == 0:
            return self._nothing(check_key(key))
        try:
            found = self._get(check_key(key), start, length, unless)
        except _Unchanged:
            return Body(Stat(-1, unless or ""), iter(()))
        except _PastTheEnd:
            return self._nothing(key)
        return None if found is None else Body(self._stat(found.meta), self._chunks(key, found))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        return self._put(check_key(key), source, "create")

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        return self._put(check_key(key), source, _version(etag) if etag else "create")

    def list(self, prefix: str = "") -> Iterator[str]:
        obstore = _library(self.url)
        with self._asking(prefix):
            pages = obstore.list(self._reader, prefix.rpartition("/")[0] or None, chunk_size=1000)
            keys = (meta["path"] for page in pages for meta in page)
            wanted = (key for key in keys if key.startswith(prefix) and "/." not in f"/{key}")
            yield from wanted if self._lists_in_order() else iter(sorted(wanted))

    # ------------------------------------------------------------ how

    @cached_property
    def _reader(self) -> cloud.Client:
        return cloud.connect(self._service, self._bucket, self._prefix)

    def _get(self, key: str, start: int, length: int | None, unless: str | None) -> GetResult | None:
        obstore = _library(self.url)
        options: dict[str, Any] = {}
        if start or length is not None:
            options["range"] = {"offset": start} if length is None else (start, start + length)
        if unless:
            options["if_none_match"] = _version(unless)["e_tag"]
        with self._asking(key):
            try:
                found: GetResult = obstore.get(self._reader, key, options=options or None)
            except FileNotFoundError as error:
                if _reason(error).code in _NO_BUCKET:
                    raise
                return None
        return found

    def _stat(self, meta: ObjectMeta) -> Stat:
        tag, version = meta["e_tag"], meta["version"]
        if not tag:
            raise HubUnavailable(
                f"{self.url}: what answers is not {self._service.name}: no ETag; is there a login page?"
            )
        return Stat(meta["size"], f"{tag} {version}" if version else tag)

    def _nothing(self, key: str) -> Body | None:
        """The body of a range without bytes, for which no service tells the etag."""
        stat = self.head(key)
        return None if stat is None else Body(stat, iter(()))

    def _chunks(self, key: str, found: GetResult) -> Iterator[bytes]:
        with self._asking(key):
            yield from map(bytes, found.stream(min_chunk_size=CHUNK))

    def _put(self, key: str, source: Path | bytes, mode: Any) -> bool:
        """Send an object in one PUT; False if the service finds another version there than ``mode`` says."""
        obstore = _library(self.url)
        errors = obstore.exceptions
        if cloud.is_anonymous(self._service):
            raise PublishError(f"{self.url}/{key}: nobody is signed in: set {self._service.sign_in}")
        with _buffer(source) as data, self._asking(key, writing=True):
            size = len(data)
            if size > MAX_UPLOAD:
                raise PublishError(
                    f"{source if isinstance(source, Path) else key} has {size} bytes: a bucket takes files up to "
                    f"{MAX_UPLOAD} in the one step that publishing needs; nothing was sent"
                )
            client = cloud.connect(self._service, self._bucket, self._prefix, uploading=size)
            try:
                obstore.put(client, key, data, mode=mode, use_multipart=False)
            except (errors.AlreadyExistsError, errors.PreconditionError, FileNotFoundError) as error:
                if not _lost(_reason(error), mode):
                    raise
                return False
            return True

    def _lists_in_order(self) -> bool:
        """Not so: Azure with folders, S3's directory buckets."""
        return self._scheme != "az" and not self._bucket.endswith("--x-s3")

    # ------------------------------------------------------------ what goes wrong

    @contextmanager
    def _asking(self, key: str, writing: bool = False) -> Iterator[None]:
        """Raise what obstore raises as an error of ours."""
        from obstore.exceptions import BaseError, NotModifiedError

        try:
            yield
        except NotModifiedError as error:
            raise _Unchanged from error
        except (BaseError, FileNotFoundError) as error:
            reason = _reason(error)
            if reason.status == 416:
                raise _PastTheEnd from error
            self._fail(key, reason, error, writing)

    def _fail(self, key: str, reason: _Reason, error: Exception, writing: bool) -> NoReturn:
        where, kind = f"{self.url}/{key}".rstrip("/"), PublishError if writing else HubUnavailable
        if reason.code in _NO_BUCKET:
            raise kind(f"{self.url}: there is no such bucket{self._at()}; check its name, or make it") from error
        if reason.status in (401, 403):
            raise kind(f"{where}: {self._refusal(reason, writing)}") from error
        if reason.status in _AGAIN:
            raise Interrupted(f"{where}: {self._service.name} is busy ({reason}); try again later") from error
        if reason.unsigned:
            raise kind(f"{where}: {self._no_sign_in()}") from error
        if reason.unanswered:
            raise Unreachable(f"{where}: no connection to {self._service.name}{self._at()}: {self._way()}") from error
        if reason.broken:
            raise Interrupted(f"{where}: the connection to {self._service.name} broke off; try again") from error
        raise kind(f"{where}: {self._service.name} answers {reason}; {self._advice(reason)}") from error

    def _at(self) -> str:
        """The endpoint, if it is not the service's own."""
        at = cloud.endpoint(self._service)
        return f" at {at}" if at else ""

    def _way(self) -> str:
        """What to look at where nobody answers."""
        return f"is there a network, does it need HTTPS_PROXY{', is that address right' if self._at() else ''}?"

    def _refusal(self, reason: _Reason, writing: bool) -> str:
        if cloud.is_anonymous(self._service):
            return f"{reason}, and nobody is signed in: set {self._service.sign_in}"
        if reason.code in _WRONG_SECRET:
            return f"{reason}: the credentials are wrong or expired; check {self._service.sign_in}"
        may = "write" if writing else "read (s3:GetObject, and s3:ListBucket, or a missing file is refused too)"
        return f"{reason}: whoever is signed in may not {may}; ask the owner of the bucket"

    def _no_sign_in(self) -> str:
        unsigned = f"{self._service.unsigned}=true to read a public bucket"
        return f"this machine has no role to sign in with. Set {self._service.sign_in}; or {unsigned}"

    def _advice(self, reason: _Reason) -> str:
        if reason.status in (301, 307, 400):
            return (
                "is it in another region? Set AWS_REGION to the bucket's" if self._scheme == "s3" else "check its name"
            )
        return "is the endpoint one of such a service?"


class _Unchanged(Exception):
    """The object is the one that the reader has."""


class _PastTheEnd(Exception):
    """The range begins where there are no bytes."""


class _Reason(NamedTuple):
    """What the text of an obstore error tells."""

    status: int
    """Of HTTP; 0 where there was no answer."""
    code: str
    broken: bool
    unanswered: bool
    unsigned: bool

    def __str__(self) -> str:
        return f"{self.status or 'without a status'}{' ' if self.code else ''}{self.code}"


def _reason(error: Exception) -> _Reason:
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    unsigned = _METADATA.search(text) is not None
    found = 301 if _MOVED in text else int(status[1]) if status and not unsigned else 0
    return _Reason(found, code[1] if code else "", _BROKEN.search(text) is not None, _UNANSWERED in text, unsigned)


def _lost(reason: _Reason, mode: Any) -> bool:
    """Whether a PUT was refused because another version is there, or none where one was seen."""
    if reason.code in _NO_BUCKET:
        return False
    if reason.status == 409:
        return reason.code in _EXISTS
    return reason.status != 404 or mode != "create"


def _library(url: str) -> ModuleType:
    """obstore. Raises HubUnavailable in a forked process: its threads stayed behind, and a call would wait for ever."""
    import obstore

    _USED_IN.add(os.getpid())
    if len(_USED_IN) > 1:
        raise HubUnavailable(
            f"{url} cannot be reached from a process that was forked off one which used a bucket. "
            "Fetch before the fork, or start processes by multiprocessing's 'spawn' or 'forkserver'"
        )
    return obstore


def _version(etag: str) -> dict[str, str]:
    """The parts of an etag of ours, as obstore takes them."""
    tag, _, version = etag.partition(" ")
    return {"e_tag": tag, "version": version} if version else {"e_tag": tag}


@contextmanager
def _buffer(source: Path | bytes) -> Iterator[bytes | mmap.mmap]:
    """The bytes to send. A file is mapped: read as it is sent, by obstore itself, it would be in memory whole.

    Raises WellreadError where it cannot be read.
    """
    if isinstance(source, bytes):
        yield source
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise WellreadError(f"cannot read {source}: {error.strerror or error}") from error
    with file:
        if os.fstat(file.fileno()).st_size == 0:  # which cannot be mapped
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped
