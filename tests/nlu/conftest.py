"""A hub of three tiny models that run, published once a session: read-only for tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import wellread
from tests.fixtures.running import running_files
from tests.fixtures.tiny import tiny_architecture
from tests.registry.samples import FORMS, make_sample
from wellread.nlu.pipeline import Pipeline
from wellread.registry.hub.publish import publish

WORDS, OTHER, SENTENCES = "en.embed.bert.tiny", "en.embed.bert.tiny_b", "en.embed_sentence.tiny"
_MODELS = (
    ("tiny", WORDS, "BertEmbeddings"),
    ("tiny_b", OTHER, "BertEmbeddings"),
    ("sent_tiny", SENTENCES, "BertSentenceEmbeddings"),
)


@pytest.fixture(scope="session")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a model."""
    return running_files(tmp_path_factory.mktemp("members") / "files")


def publish_tiny(root: Path, members: dict[str, bytes], hub: Path, name: str, reference: str, **fields: object) -> None:
    """Put a model with those members into a hub under a reference."""
    fields = {"architecture": tiny_architecture(), "forms": dict(FORMS)} | fields
    sample = make_sample(root / name, members, name=name, aliases=(reference,), **fields)
    publish(sample.zip, sample.proof, hub)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]) -> Path:
    root = tmp_path_factory.mktemp("nlu")
    for name, reference, annotator in _MODELS:
        publish_tiny(root, members, root / "hub", name, reference, annotator=annotator)
    return root / "hub"


@pytest.fixture(scope="session")
def pipeline(hub: Path) -> Pipeline:
    """The word model alone."""
    return wellread.load(WORDS, hub=hub)
