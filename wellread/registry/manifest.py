"""What a manifest may say, and what it says about forms.

A manifest comes out of a zip or over a network, so nothing in it is believed before it has passed here: the names lead
nowhere but into their own folder, sizes and hashes fit together, every form needs only members that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wellread.errors import BadInput, IntegrityError, NotFound, near_misses
from wellread.registry.names import parse_lang, parse_name
from wellread.registry.records import PIECE, Manifest, Member, decode

MANIFEST = "manifest.json"
KINDS = (".json", ".md", ".txt", ".safetensors", ".onnx")
"""What a member may be. None of them can run code when it is opened."""
ALWAYS = ("README.md", "golden.json")
"""Members that come with every form, where the artifact has them."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes a manifest has at most."""
MAX_MEMBERS = 10_000

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}"
_MEMBER = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,7}}")
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?", re.IGNORECASE)
_FORM = re.compile(r"[a-z0-9][a-z0-9\-]{0,31}")


def is_member_name(name: str) -> bool:
    """Whether a file of that name can be a member: relative, plain on every system, of an allowed kind."""
    segments = name.split("/")
    plain = _MEMBER.fullmatch(name) and not any(_DEVICE.fullmatch(s) or s.endswith(".") for s in segments)
    return bool(plain) and name.endswith(KINDS) and name.lower() != MANIFEST


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """A manifest that an artifact can have; every problem is named at once. Raises IntegrityError."""
    manifest = decode(raw, Manifest, f"{MANIFEST} of {where}")
    problems = [*_identity_problems(manifest), *_member_problems(manifest), *_form_problems(manifest)]
    if problems:
        raise IntegrityError(f"{MANIFEST} of {where} cannot be right: {'; '.join(problems)}")
    return manifest


def members_of(manifest: Manifest, form: str) -> tuple[Member, ...]:
    """The members that a form needs, in the artifact's order. Raises NotFound for a form it does not have."""
    if form not in manifest.forms:
        raise NotFound(
            f"{manifest.artifact} has no form {form!r}. Available: {', '.join(manifest.forms)}."
            + near_misses(form, manifest.forms)
        )
    wanted = {*ALWAYS, *manifest.forms[form].members}
    return tuple(member for member in manifest.files if member.name in wanted)


def _identity_problems(manifest: Manifest) -> Iterator[str]:
    try:
        parse_name(manifest.name)
        parse_lang(manifest.language)
        str(manifest.artifact)
    except BadInput as error:
        yield str(error)
    if manifest.time < 0:
        yield f"its time is {manifest.time}"


def _member_problems(manifest: Manifest) -> Iterator[str]:
    names = [member.name for member in manifest.files]
    if len(names) > MAX_MEMBERS:
        yield f"it lists {len(names)} files, more than {MAX_MEMBERS}"
    if names != sorted(set(names)):
        yield "its files are not sorted, or one is there twice"
    if len({name.lower() for name in names}) < len(set(names)):
        yield "two of its files differ only by case"
    for member in manifest.files:
        if not is_member_name(member.name):
            yield f"{member.name!r} may not be a member"
        if member.size < 0 or len(member.pieces) != -(-member.size // PIECE):
            yield f"{member.name!r} of {member.size} bytes has {len(member.pieces)} pieces"


def _form_problems(manifest: Manifest) -> Iterator[str]:
    names = {member.name for member in manifest.files} | {MANIFEST}
    for form, record in manifest.forms.items():
        if not _FORM.fullmatch(form) or form in ("auto", "all", "fastest"):
            yield f"{form!r} is not a form's name"
        if missing := sorted(set(record.members) - names):
            yield f"form {form!r} needs {', '.join(missing)}, not among its files"
