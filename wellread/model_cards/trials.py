"""Whether the snippets of a card run: each as it is printed, in a process of its own, against the artifact itself.

    <scratch>/hub        a hub that holds this artifact and no other, by its NLU reference too: WELLREAD_HUB
    <scratch>/home       a user who has nothing yet: WELLREAD_HOME
    <scratch>/empty      the working folder
    <scratch>/<tab>.py   the snippets

A snippet whose engine is not on the machine, or is broken there, is not run, and says so; so is one that says itself
that something has to be installed first, as Spark's does where there is no Java. What the card's own snippet
computed for the model's example is kept as the card's Results.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from wellread.errors import IntegrityError, SnippetError
from wellread.model_cards.card import Tab
from wellread.model_cards.snippets import ENGINES, example, nlu_reference, snippets
from wellread.model_cards.stage import Played, Scene, Stage
from wellread.registry.artifact.package import Packed, identify, verify
from wellread.registry.artifact.settings import settings_problems
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.hub.states import set_alias
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import OWN_TAB, Manifest, Record, Result, Trial
from wellread.registry.retry import open_hub

WORDS = "words"
"""The variable of our own snippet that holds the words of the example and their vectors."""
_STAGE = Stage()


class Tried(Record, frozen=True, kw_only=True):
    """A trial for each tab of a card, and what our own snippet gave where it ran."""

    trials: tuple[Trial, ...]
    results: tuple[Result, ...] = ()


def try_release(artifact: Path) -> tuple[Trial, ...]:
    """What becomes of the snippets of an artifact in a file, on this machine.

    Other libraries than ours open what it holds; one that would tell them to run code is refused. Raises BadInput,
    IntegrityError for one that is not sound.
    """
    package = verify(artifact)
    if problems := settings_problems(package):
        raise IntegrityError("\n  ".join([f"{artifact}: nothing of it is run:", *problems]))
    with tempfile.TemporaryDirectory() as scratch:
        return try_snippets(package.manifest, identify(package, artifact), Path(scratch)).trials


def try_snippets(manifest: Manifest, packed: Packed, scratch: Path) -> Tried:
    """Run every snippet of a card against its artifact; ``scratch`` is an empty folder. None of them raises."""
    _lay_hub(manifest, packed, scratch / "hub")
    (scratch / "empty").mkdir()
    played = {tab.title: _try(tab, scratch) for tab in snippets(manifest)}
    trials = tuple(trial for trial, _ in played.values())
    ours, told = played.get(OWN_TAB, (None, Played()))
    ran = ours is not None and ours.outcome == "passed"
    results = (Result(text=example(manifest), words=told.words, vectors=told.vectors),) if ran else ()
    return Tried(trials=trials, results=results)


def require_passed(tried: Tried, manifest: Manifest) -> None:
    """Raises SnippetError that names every snippet that failed, with the line that did."""
    failed = [f"  {trial.tab}, {trial.why}" for trial in tried.trials if trial.outcome == "failed"]
    if failed:
        lead = f"{manifest.name} ({manifest.language}): its card tells people what does not run; nothing was written"
        raise SnippetError("\n".join([lead, *failed]))


def _lay_hub(manifest: Manifest, packed: Packed, hub: Path) -> None:
    """A hub that lists an artifact nobody has published: what is tried here is what publishing will ask about."""
    release = release_line(manifest, packed, DEFAULT_FOLDER)
    place = hub / release.path
    place.parent.mkdir(parents=True)
    try:
        place.hardlink_to(packed.path)
    except OSError:  # on another disk, or one without links
        shutil.copyfile(packed.path, place)
    store = open_hub(hub)
    add_release(store, release)
    if reference := nlu_reference(manifest):
        set_alias(store, reference, manifest.name, manifest.language)


def _try(tab: Tab, scratch: Path) -> tuple[Trial, Played]:
    script = scratch / f"{tab.title}.py"
    script.write_text(f"{tab.code}\n", encoding="utf-8")
    played = _STAGE.play(
        Scene(
            script=str(script),
            folder=str(scratch / "empty"),
            environment={"WELLREAD_HUB": str(scratch / "hub"), "WELLREAD_HOME": str(scratch / "home")},
            engines=ENGINES[tab.title],
            keep=WORDS if tab.title == OWN_TAB else "",
        )
    )
    return _judged(tab, played), played


def _judged(tab: Tab, played: Played) -> Trial:
    if played.absent:
        return Trial(tab=tab.title, outcome="not run", why=played.absent)
    if not played.error:
        return Trial(tab=tab.title, outcome="passed")
    code = tab.code.splitlines()[played.line - 1].strip() if played.line else ""
    where = f"line {played.line}: {code}: " if code else ""
    return Trial(tab=tab.title, outcome="failed", why=f"{where}{played.error}")
