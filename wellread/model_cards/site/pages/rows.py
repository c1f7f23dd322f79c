"""A model in one row: what lists, facets, search and feeds need of it, so that its manifest need not stay in memory.

A row is on pages of everybody, and who publishes one model is no owner of them: each text of it is cut, and each list.
The whole is on the model's own page.
"""

from __future__ import annotations

from itertools import islice

from wellread.model_cards import prose
from wellread.model_cards.site.hub.models import Model, Published, Row, Step
from wellread.registry.artifact.manifest import members_of
from wellread.registry.records import Manifest

LONGEST = 200
"""Characters of a text at most."""
MOST = 64
"""Tags, forms and aliases at most."""


def row_of(model: Model) -> Row:
    """What the latest release says, and the steps of all. Without a manifest only what the index line says."""
    published = model.latest
    release, manifest = published.release, published.manifest
    return Row(
        name=model.name,
        language=model.language,
        title=_cut(manifest.title) if manifest and manifest.title else model.name,
        summary=prose.to_text(manifest.description) if manifest else "",
        tasks=(_cut(manifest.task),) if manifest and manifest.task else (),
        edition=_cut(manifest.edition) if manifest else "",
        annotator=_cut(release.annotator),
        license=_cut(manifest.license) if manifest else "",
        author=_cut(manifest.author) if manifest else "",
        tags=tuple(map(_cut, manifest.tags[:MOST])) if manifest else (),
        engine=_cut(release.engine),
        forms=_forms(manifest) if manifest else dict.fromkeys(map(_cut, release.forms[:MOST]), 0),
        size=release.size,
        dimension=manifest.dimension if manifest else 0,
        supported=manifest.supported if manifest else False,
        recommended=manifest.recommended if manifest else False,
        state=release.state,
        why=_cut(release.why),
        release=release.id,
        time=release.time,
        path=release.path,
        sha256=release.sha256,
        signed=bool(published.signers),
        aliases=_aliases(model)[:MOST],
        steps=tuple(map(_step, sorted(model.releases, key=_newest))),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _forms(manifest: Manifest) -> dict[str, int]:
    """The bytes of the members that each form needs."""
    return {form: sum(member.size for member in members_of(manifest, form)) for form in islice(manifest.forms, MOST)}


def _aliases(model: Model) -> tuple[str, ...]:
    """What the hub says stands for it; where it cannot be asked, what the publisher wanted to."""
    if model.aliases is not None:
        return model.aliases
    return model.latest.manifest.aliases if model.latest.manifest else ()


def _newest(published: Published) -> tuple[int, str]:
    return -published.release.time, published.release.path


def _step(published: Published) -> Step:
    release = published.release
    return Step(id=release.id, time=release.time, state=release.state, why=_cut(release.why))
