"""A tiny model, pressed without TensorFlow and published into a hub, for its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BuildModule
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench
from wellread.press import Pressed, press
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName


@dataclass(frozen=True)
class Published:
    """A release: the hub that has it, and what was pressed."""

    hub: Path
    pressed: Pressed


Publish = Callable[..., Published]


@pytest.fixture(scope="session")
def published(module: BuildModule, tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """``published(pooling="cls")`` → the release of a tiny model whose recipe has that field."""
    bench = Workbench(tmp_path_factory.mktemp("work"))

    def make(**fields: Any) -> Published:
        source = Source(kind="folder", location=str(module("huggingface")))
        facts: dict[str, Any] = {"title": "Tiny", "description": "A test.", "examples": ("hello world",)} | fields
        recipe = Recipe(
            name=ModelName("tiny"), language=Lang("en"), license="MIT", time=1598344705269, sources=(source,), **facts
        )
        folder = tmp_path_factory.mktemp("pressed")
        pressed = press(recipe, folder / "dist", bench)
        publish(pressed.artifact, pressed.proof, folder / "hub")
        return Published(folder / "hub", pressed)

    return make
