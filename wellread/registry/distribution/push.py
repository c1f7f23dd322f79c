"""A release as a repository on the Hugging Face Hub.

    folder in the cache ─ hashed by its manifest ─▶ what differs from the repository ─▶ one commit ─▶ looked at again

The members lie in the repository as they lie in the artifact, ``manifest.json`` among them, so that ``transformers``
and ``sentence-transformers`` open it by its name. Files of the repository that are no members are left alone. Speaks
through ``huggingface_hub``, with that library's login, token (``HF_TOKEN``) and address (``HF_ENDPOINT``).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wellread.errors import BadInput, HubUnavailable, IntegrityError, PublishError, WellreadError, missing_extra
from wellread.registry import pieces
from wellread.registry.artifact.manifest import MANIFEST, parse_manifest
from wellread.registry.transfer.progress import watched

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SCHEME = "hf:"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.\-]{0,95}/[A-Za-z0-9_][\w.\-]{0,95}", re.ASCII)
_SECRET = re.compile(r"Bearer \S+|hf_\w+")
_MISSING = 404
_REFUSALS: Mapping[int, str] = {
    401: "it does not know you: log in with 'hf auth login', or set HF_TOKEN to a token that may write",
    403: "your token may not write there: take one with the role 'write', or push to a repository of your own",
    409: "somebody else changed it meanwhile: run this again",
    413: "a file is larger than it takes",
    429: "it wants fewer requests: wait a while and run this again",
}
"""HTTP status → what it means here and what to do."""


class Pushed(NamedTuple):
    """What a push did. ``uploaded``: the members that were not there yet, all of them in one ``commit``.

    ``commit`` is empty where nothing was sent: nothing differed, or it was a dry run.
    """

    url: str
    uploaded: tuple[str, ...]
    commit: str


def parse_repository(text: str) -> str:
    """``hf:org/name`` → ``org/name``. Raises BadInput."""
    repository = text.removeprefix(SCHEME)
    if not text.startswith(SCHEME) or not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise BadInput(f"{text!r} is not a repository to push to: write hf:org/name")
    return repository


def push(
    folder: Path, repository: str, *, private: bool = False, message: str | None = None, dry_run: bool = False
) -> Pushed:
    """Bring every member of an unpacked artifact into a repository, made if it is not there; what is there stays.

    Raises IntegrityError where a member is not what the manifest says, PublishError where the repository refuses,
    HubUnavailable where it cannot be reached, MissingExtra without huggingface_hub.
    """
    names, title = _members(folder)
    api = _client()
    with _explained(f"{api.endpoint}/{repository}"):
        found = _visibility(api, repository)
        if private and found == "public":
            raise PublishError(f"{api.endpoint}/{repository} is there and public: make it private there, then push")
        wanted = _differing(folder, names, _tree(api, repository) if found else {})
        sent = bool(wanted) and not dry_run
        if sent and not found:
            api.create_repo(repository, private=private or None, exist_ok=True)
        commit = _commit(api, repository, folder, wanted, message or f"{title} by wellread") if sent else ""
        if sent and (lost := _differing(folder, names, _tree(api, repository))):
            raise PublishError(f"{repository} took the commit without {', '.join(lost)}: look at its .gitignore")
    return Pushed(f"{api.endpoint}/{repository}", tuple(wanted), commit)


def _members(folder: Path) -> tuple[list[str], str]:
    """The files to push, each hashed, and what the release is called. Raises BadInput, IntegrityError."""
    file = folder / MANIFEST
    if not file.is_file():
        raise BadInput(f"{folder} holds no {MANIFEST}: it is not an unpacked artifact")
    manifest = parse_manifest(file.read_bytes(), str(folder))
    if wrong := [member.name for member in manifest.files if not pieces.matches(member, folder / member.name)]:
        raise IntegrityError(f"{folder}: {', '.join(wrong)} is missing or differs from the {MANIFEST}. Fetch it again")
    return [MANIFEST, *(member.name for member in manifest.files)], manifest.artifact.stem


# ---------------------------------------------------------------- what is there


def _client() -> HfApi:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise missing_extra("huggingface_hub", "press") from error
    if not watched():
        disable_progress_bars()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def _visibility(api: HfApi, repository: str) -> str:
    """``public`` or ``private``, empty where there is no such repository that we see."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return "private" if api.repo_info(repository).private else "public"
    except RepositoryNotFoundError:
        return ""


def _tree(api: HfApi, repository: str) -> dict[str, Any]:
    """The files of a repository, by their paths."""
    return {entry.path: entry for entry in api.list_repo_tree(repository, recursive=True) if hasattr(entry, "blob_id")}


def _differing(folder: Path, names: Sequence[str], there: Mapping[str, Any]) -> list[str]:
    return [name for name in names if name not in there or not _same(folder / name, there[name])]


def _same(path: Path, entry: Any) -> bool:
    """Whether a file is what the repository has: it names large files by sha256, small ones as git does."""
    size = path.stat().st_size
    if entry.size != size:
        return False
    digest = hashlib.sha256() if entry.lfs else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for chunk in pieces.stretch(path, 0, size):
        digest.update(chunk)
    return bool(digest.hexdigest() == (entry.lfs.sha256 if entry.lfs else entry.blob_id))


def _commit(api: HfApi, repository: str, folder: Path, names: Sequence[str], message: str) -> str:
    """Upload files in one commit, for ``upload_folder`` may make several; returns its id."""
    from huggingface_hub import CommitOperationAdd

    added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=folder / name) for name in names]
    return str(api.create_commit(repository, added, commit_message=message).oid)


# ---------------------------------------------------------------- what goes wrong


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """The library's errors in our words, and without the token that some of them quote."""
    try:
        yield
    except WellreadError:
        raise
    except Exception as error:  # the library and its transport have a tree of errors each, which change by version
        raise _explanation(where, error) from error


def _explanation(where: str, error: BaseException) -> WellreadError:
    while error.__cause__ and not hasattr(error, "response"):  # what happened, under what the library was doing
        error = error.__cause__
    status: int = getattr(getattr(error, "response", None), "status_code", 0)
    told = _SECRET.sub("…", next(iter(str(error).strip().splitlines()), "")) or type(error).__name__
    if status == _MISSING or status in _REFUSALS:
        return PublishError(f"{where} refuses: {_REFUSALS.get(status, 'there is no such organisation or repository')}")
    if isinstance(error, ValueError):
        return PublishError(f"{where} refuses: {told}")
    return HubUnavailable(f"{where} cannot be reached or did not answer: {told}. Run this again: what arrived is kept")
