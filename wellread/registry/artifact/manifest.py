"""What a manifest may say, and what it says about forms.

A manifest comes out of a zip or over a network, so nothing in it is believed before it has passed here: the names lead
nowhere but into their own folder, sizes and hashes fit together, every form needs only members that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite

from wellread.errors import BadInput, IntegrityError, NotFound, near_misses
from wellread.registry.names import (
    FIRST_MOMENT,
    LAST_MOMENT,
    ArtifactName,
    parse_lang,
    parse_name,
    parse_reference,
)
from wellread.registry.records import PIECE, Form, Manifest, Member, Pooling, decode

MANIFEST = "manifest.json"
KINDS = (".json", ".md", ".txt", ".safetensors", ".onnx")
"""What a member may be. None of them can run code when it is opened."""
ALWAYS = ("README.md", "golden.json")
"""Members that come with every form, where the artifact has them."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes a manifest has at most."""
MAX_MEMBERS = 10_000
LONGEST: Mapping[str, int] = {
    **dict.fromkeys(("title", "author", "task", "edition", "license", "engine", "base_model", "tags"), 500),
    **dict.fromkeys(("repository", "examples"), 2_000),
    **dict.fromkeys(("description", "data_source", "citation"), 20_000),
}
"""Characters of each text that cards and lists repeat, at most; one of 500 KB would make a page of many MB."""
MOST = 500
"""Tags, examples, aliases or languages at most."""
RUNNABLE = "onnx"
"""What the names of forms that wellread runs begin with."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TOKENS = "last_hidden_state"
"""The output that every ONNX form has: the vectors of the pieces."""
POOLED: Mapping[Pooling, str] = {"pooler": "pooler_output", "pooler-linear": "pooler_linear"}
"""The output that a pooling reads, where it is another."""

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}"
_MEMBER = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,7}}")
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?", re.IGNORECASE)
_FORM = re.compile(r"[a-z0-9][a-z0-9\-]{0,31}")


def is_member_name(name: str) -> bool:
    """Whether a file of that name can be a member: relative, plain on every system, of an allowed kind."""
    segments = name.split("/")
    plain = _MEMBER.fullmatch(name) and not any(_DEVICE.fullmatch(s) or s.endswith(".") for s in segments)
    return bool(plain) and name.endswith(KINDS) and name.lower() != MANIFEST


def is_form_name(form: str) -> bool:
    """Whether a form can be called that."""
    return bool(_FORM.fullmatch(form)) and form not in ("auto", "all", "fastest")


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """A manifest that an artifact can have; every problem is named at once. Raises IntegrityError."""
    manifest = decode(raw, Manifest, f"{MANIFEST} of {where}")
    checks = (_identity_problems, _text_problems, _shape_problems, _member_problems, _form_problems)
    problems = [problem for check in checks for problem in check(manifest)]
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
        for language in (manifest.language, *manifest.languages):
            parse_lang(language)
        for reference in manifest.aliases:
            parse_reference(reference)
        if ArtifactName.parse(str(manifest.artifact)) != manifest.artifact:
            yield f"{manifest.artifact} is not an artifact's name"
    except BadInput as error:
        yield str(error)
    if not FIRST_MOMENT <= manifest.time <= LAST_MOMENT:
        yield f"its time is {manifest.time}, not milliseconds in the years 2000 to 2100"
    if not manifest.task.strip():
        yield "its task is empty"


def _text_problems(manifest: Manifest) -> Iterator[str]:
    for field, longest in LONGEST.items():
        said = getattr(manifest, field)
        length = max(map(len, said), default=0) if isinstance(said, tuple) else len(said)
        if length > longest:
            yield f"its {field} has {length} characters, more than {longest}"
    for field in ("tags", "examples", "aliases", "languages"):
        if len(getattr(manifest, field)) > MOST:
            yield f"it has {len(getattr(manifest, field))} {field}, more than {MOST}"


def _shape_problems(manifest: Manifest) -> Iterator[str]:
    """What dimension, lengths and signature say against each other."""
    shape = manifest.architecture
    if manifest.dimension != shape.hidden:
        yield f"its dimension is {manifest.dimension} and its hidden size {shape.hidden}"
    if not 2 < manifest.max_length <= shape.positions:
        yield f"its max_length is {manifest.max_length}: 3 to {shape.positions} are possible"
    if {(tensor.name, tensor.dtype) for tensor in manifest.inputs} != {(name, "int64") for name in INPUTS}:
        yield f"its inputs are not {', '.join(INPUTS)} of int64"
    outputs = {tensor.name for tensor in manifest.outputs}
    if missing := {TOKENS, POOLED.get(manifest.pooling, TOKENS)} - outputs:
        yield f"its pooling {manifest.pooling!r} needs the output {', '.join(sorted(missing))}"


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
        if not is_form_name(form):
            yield f"{form!r} is not a form's name"
        if missing := sorted(set(record.members) - names):
            yield f"form {form!r} needs {', '.join(missing)}, not among its files"
        if form.startswith(RUNNABLE):
            yield from _graph_problems(form, record)


def _graph_problems(name: str, form: Form) -> Iterator[str]:
    """What keeps a form from being run and proved by its goldens."""
    graphs = [member for member in form.members if member.endswith(".onnx")]
    if len(graphs) != 1:
        yield f"form {name!r} has {len(graphs)} .onnx files, one is needed"
    stated = [tolerance for tolerance in (form.max_error, form.min_cosine) if tolerance is not None]
    if not stated or not all(map(isfinite, stated)):
        yield f"form {name!r} states no tolerance (max_error or min_cosine): nothing could prove it"
