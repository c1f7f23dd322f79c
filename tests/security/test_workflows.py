"""The workflows: secrets reach no run of what others propose, and no job that does not need them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from wellread.cli.ci import workflow

ROOT = Path(__file__).parents[2]
MAIN = "github.ref == 'refs/heads/main'"
TEXTS = {
    "users'": workflow(),
    **{path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github/workflows").glob("*.yml"))},
}


def _steps(text: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(job, step) of each."""
    jobs = yaml.safe_load(text)["jobs"].values()
    return [(job, step) for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("file", TEXTS)
def test_secrets_are_for_single_steps_on_main(file: str) -> None:
    text = TEXTS[file]
    for job, step in _steps(text):
        if "secrets." in json.dumps(step):
            assert any(MAIN in said.get("if", "") for said in (job, step)), step
    inside = sum(json.dumps(step).count("secrets.") for _, step in _steps(text))
    assert text.count("secrets.") == inside, "none stands above the steps, where every step would have it"


def test_the_key_is_for_the_step_that_signs() -> None:
    having = [step for _, step in _steps(workflow()) if "WELLREAD_KEY" in step.get("env", {})]
    assert [step["run"] for step in having] == ['wellread build "$RECIPE"']


@pytest.mark.parametrize("file", TEXTS)
def test_nothing_that_strangers_write_is_read_as_code(file: str) -> None:
    """Titles, branches and messages of proposals are in no expression; names of files come by the environment."""
    text = TEXTS[file]
    for word in ("head_ref", "head.ref", ".title", ".body", "head_commit", "pull_request_target", "workflow_run"):
        assert word not in text
    assert not [step for _, step in _steps(text) if "${{" in step.get("run", "") or "script" in step.get("with", {})]
