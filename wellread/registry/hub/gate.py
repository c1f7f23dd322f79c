"""What a hub takes: an artifact whose own records, not its prose, say that it is whole, described and proved.

That every byte is the manifest's, and every member of an allowed kind, was seen before (see ``artifact.verify``). Here
the manifest must say what a user needs to know, the licence must be an SPDX expression, and the proof must be about
these bytes, show that every form is equal to its source, and say that what the card tells people to type was run. No
member may tell another library to run code (see ``settings``). The weights themselves must be the source's: who changed
them, and the hashes and the proof to fit, is caught here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from wellread.errors import PublishError, missing_extra
from wellread.registry.artifact.manifest import ALWAYS
from wellread.registry.artifact.package import Package, Packed
from wellread.registry.artifact.settings import settings_problems
from wellread.registry.artifact.tensors import weights_problems
from wellread.registry.records import OWN_TAB, Manifest, Proof

UNPROVED = ("tf",)
"""Forms that are the source itself, so there is nothing to compare them with."""
OWN_FORM = "onnx"
"""The form that the snippet of ``OWN_TAB`` takes; without it a card has no such tab."""
NEEDED = ("title", "description", "license", "library_version", "spark_version", "annotator", "forms", "files")
"""Fields of the manifest that may not be empty."""


def refuse_unfit(package: Package, packed: Packed, proof: Proof, artifact: Path) -> None:
    """Raises PublishError that names every reason why an artifact and its proof are no release."""
    name = str(package.manifest.artifact)
    problems = [
        *([] if artifact.name == name else [f"its name must be {name}, after its manifest"]),
        *proof_problems(package, packed, proof),
        *_content_problems(package.manifest),
        *settings_problems(package),
        *weights_problems(package),
    ]
    if problems:
        raise PublishError("\n  ".join([f"{artifact.name} is refused:", *problems]))


def proof_problems(package: Package, packed: Packed, proof: Proof) -> list[str]:
    """Why a proof does not prove an artifact; none where it does."""
    checks = {
        f"its proof is about {proof.artifact}": proof.artifact == str(package.manifest.artifact),
        f"its proof is about other bytes (sha256 {proof.sha256}, not {packed.sha256})": proof.sha256 == packed.sha256,
        "its proof is about another manifest": proof.manifest == packed.manifest,
    }
    unfit = [problem for problem, fine in checks.items() if not fine]
    return [*unfit, *_parity_problems(package.manifest, proof), *_trial_problems(package.manifest, proof)]


def _parity_problems(manifest: Manifest, proof: Proof) -> list[str]:
    """What the figures of a proof do not show; its own verdicts are not enough (see ``Point.met``)."""
    measured = [parity.form for parity in proof.parity.forms]
    failed = sorted({parity.form for parity in proof.parity.forms if not parity.passed})
    unmeasured = sorted(set(manifest.forms) - set(measured) - set(UNPROVED))
    checks = {
        "its proof compares no form with the source": bool(measured),
        "its proof compares a form twice": len(set(measured)) == len(measured),
        "its proof is about another source than its manifest": proof.source == manifest.source.tensors,
        **{f"form {form!r} failed parity": False for form in failed},
        **{f"form {form!r} was never compared with the source": False for form in unmeasured},
    }
    return [problem for problem, fine in checks.items() if not fine]


def _trial_problems(manifest: Manifest, proof: Proof) -> list[str]:
    """What the trials of a card's snippets do not show. Other libraries than ours may have been absent."""
    failed = [
        f"its card's {trial.tab} snippet failed when it was run: {trial.why}"
        for trial in proof.trials
        if trial.outcome == "failed"
    ]
    ours = any(trial.tab == OWN_TAB and trial.outcome != "not run" for trial in proof.trials)
    if OWN_FORM in manifest.forms and not ours:
        return [*failed, f"its proof does not say that its card's {OWN_TAB} snippet was run: build it again"]
    return failed


def _content_problems(manifest: Manifest) -> list[str]:
    names = {member.name for member in manifest.files}
    empty = [f"its manifest leaves {field!r} empty" for field in NEEDED if not getattr(manifest, field)]
    missing = [f"it has no {name}" for name in ALWAYS if name not in names]
    stranger = ["its source was given by hand and is not known to be this model: build it under another --name"]
    licence = _licence_problems(manifest.license) if manifest.license else []
    return (stranger if manifest.source.override else []) + empty + missing + licence


def _licence_problems(expression: str) -> list[str]:
    errors = _spdx().validate(expression).errors
    return [f"its licence {expression!r} is not an SPDX expression: {'; '.join(errors)}"] if errors else []


@cache
def _spdx() -> Any:
    """All licences of SPDX, read once: that takes a tenth of a second."""
    try:
        from license_expression import get_spdx_licensing
    except ImportError as error:
        raise missing_extra("license-expression", "press") from error
    return get_spdx_licensing()
