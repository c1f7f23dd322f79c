"""``wellread ci init``: what it writes, what it leaves alone, and that the workflow does what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_main import program
from tests.cli.test_press import write_recipe
from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.fixtures.github import BuildServer, Facts, commit, git, worked_out
from tests.fixtures.s3 import s3_server
from wellread.cli.ci import WORKFLOW, workflow
from wellread.converters.recipe import Golden, load
from wellread.registry.hub.index import read_lines
from wellread.registry.names import ModelName
from wellread.registry.stores import open_store
from wellread.registry.trust.keys import folder as keys_folder

ROOT = Path(__file__).parents[2]
ZEROS = "0" * 40


def parsed(text: str) -> dict[str, Any]:
    """A workflow; YAML 1.1 reads its key ``on`` as true."""
    content = yaml.safe_load(text)
    return {**content, "on": content[True]}


def steps(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in content["jobs"].values() for step in job["steps"]]


# ---------------------------------------------------------------- ci init


def test_a_repository_is_set_up(command: Command, tmp_path: Path) -> None:
    done = command("ci", "init", "--dir", tmp_path / "house", "--hub", "s3://models/hub")
    assert (done.code, done.err) == (0, "")
    written = sorted(
        str(path.relative_to(tmp_path / "house")) for path in (tmp_path / "house").rglob("*") if path.is_file()
    )
    assert written == [
        ".github/workflows/publish.yml",
        ".gitignore",
        "README.md",
        "recipes/small_bert_L2_128_bleurt.yaml.sample",
    ]
    content = parsed((tmp_path / "house" / WORKFLOW).read_text())
    assert content["env"] == {"WELLREAD_HUB": "s3://models/hub"}
    readme = (tmp_path / "house/README.md").read_text()
    named = re.findall(r"(?:secrets|vars)\.(\w+)", (tmp_path / "house" / WORKFLOW).read_text())
    assert set(named) <= set(re.findall(r"`(\w+)`", readme)), "whatever the workflow reads is told"
    assert "@" not in readme.replace("recipes/@", "")


def test_the_sample_is_a_recipe_by_nothing_but_its_name(command: Command, tmp_path: Path) -> None:
    """What is published stays for ever, so the first push must publish nothing that nobody chose."""
    done = command("ci", "init", "--dir", tmp_path)
    assert "small_bert_L2_128_bleurt.yaml.sample is a sample, not published" in done.out.splitlines()[-1]
    (sample,) = (tmp_path / "recipes").iterdir()
    nothing = command("recipes", "changed", ZEROS, "--recipes", tmp_path / "recipes")
    assert (nothing.code, nothing.out) == (1, "") and "holds no recipe" in nothing.err
    recipe = sample.rename(sample.with_suffix(""))
    assert command("recipes", "changed", ZEROS, "--recipes", tmp_path / "recipes").out == f"{recipe}\n"
    assert load(recipe).name == "small_bert_L2_128_bleurt"


def test_what_was_changed_is_not_written_over(command: Command, tmp_path: Path) -> None:
    assert command("ci", "init", "--dir", tmp_path).code == 0
    again = command("ci", "init", "--dir", tmp_path, "--json")
    assert (again.code, set(again.json["files"].values())) == (0, {"there"})
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").unlink()
    refused = command("ci", "init", "--dir", tmp_path)
    assert (refused.code, "README.md" in refused.err, "--force" in refused.err) == (1, True, True)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / ".gitignore").exists()
    forced = command("ci", "init", "--dir", tmp_path, "--force")
    assert (forced.code, "README.md: written" in forced.out, "publish.yml: as it was" in forced.out) == (0, True, True)


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        ("./hub", "WELLREAD_HUB"),
        ("https://models.example", "s3://"),
        ("s3://me:s3cret@models", "leave them out"),
    ],
)
def test_a_hub_that_no_build_server_could_write_is_refused(
    hub: str, said: str, command: Command, tmp_path: Path
) -> None:
    refused = command("ci", "init", "--dir", tmp_path / "house", "--hub", hub)
    assert (refused.code, said in refused.err, "s3cret" in refused.err) == (1, True, False), refused.err
    assert not (tmp_path / "house").exists()


# ---------------------------------------------------------------- the workflow, as it stands


def test_our_own_workflow_is_the_one_that_users_get() -> None:
    ours = (ROOT / WORKFLOW).read_text(encoding="utf-8")
    assert ours == workflow(recipes="wellread/recipes", package=".")
    assert (ROOT / "wellread/recipes").is_dir()


@pytest.mark.parametrize("text", [workflow(), (ROOT / ".github/workflows/ci.yml").read_text()], ids=["publish", "ci"])
def test_a_workflow_trusts_nobody(text: str) -> None:
    """Pinned actions, least permissions, no text of strangers in a shell, no secrets for what others propose."""
    content = parsed(text)
    assert "pull_request_target" not in content["on"]
    assert content["permissions"] == {"contents": "read"}
    assert content["concurrency"]["group"]
    for step in steps(content):
        if "uses" in step:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
    for line in text.splitlines():
        if "uses:" in line:
            assert re.search(r" # v\d+\.\d+\.\d+$", line), "people read versions"


def test_listing_and_showing_need_no_press(tmp_path: Path) -> None:
    """The jobs that press nothing install ``wellread[site,cloud]``, in seconds."""
    press = ("onnx", "torch", "tensorflow", "transformers", "safetensors", "license_expression", "huggingface_hub")
    (tmp_path / "one.yaml").touch()
    listed = program("recipes", "changed", ZEROS, "--recipes", tmp_path, "--json", without=press)
    assert (listed.stdout, listed.stderr) == (f'["{tmp_path / "one.yaml"}"]\n', "")
    assert program("site", "--help", without=press).returncode == 0
    installed = [step["run"].split("'")[1] for step in steps(parsed(workflow())) if "pip" in step.get("run", "")]
    assert [re.sub("==.*", "", package) for package in installed] == [
        "wellread[site,cloud]", "wellread[press,cloud]", "wellread[site,cloud]"
    ]  # fmt: skip


def test_only_the_site_may_deploy_and_no_two_runs_do_at_once() -> None:
    content = parsed(workflow())
    assert [name for name, job in content["jobs"].items() if "permissions" in job] == ["site"]
    assert content["jobs"]["site"]["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert content["jobs"]["site"]["concurrency"] == {"group": "site", "cancel-in-progress": False}
    assert content["jobs"]["build"]["strategy"]["fail-fast"] is False


SOME = "5" * 40


@pytest.mark.parametrize(
    ("event", "since"),
    [
        ({"before": SOME, "forced": False}, SOME),
        ({"before": ZEROS, "created": True}, ZEROS),
        ({"before": SOME, "forced": True}, ZEROS),
        ({"pull_request": {"base": {"sha": SOME}}}, SOME),
        ({}, ZEROS),
    ],
    ids=["push", "first push", "forced push", "pull request", "by hand"],
)
def test_what_changed_is_asked_of_a_commit_that_is_still_there(event: dict[str, Any], since: str) -> None:
    (listing,) = (step for step in steps(parsed(workflow())) if step.get("id") == "list")
    assert worked_out(listing["env"]["SINCE"], {"github": Facts(event=event)}) == since


def test_every_step_is_a_command_of_ours() -> None:
    words = [line.strip() for step in steps(parsed(workflow())) for line in step.get("run", "").splitlines()]
    allowed = ("wellread ", "pip install ", "recipes=$(wellread ", 'echo "recipes=$recipes" >> "$GITHUB_OUTPUT"')
    assert words and all(line.startswith(allowed) for line in words)


# ---------------------------------------------------------------- the workflow, run


def releases(hub: Path, name: str) -> list[int]:
    """How many good signatures each release of a model has."""
    return [len(entry.listed.signatures) for entry in read_lines(open_store(hub), ModelName(name)) if entry.listed]


@pytest.fixture
def server(command: Command, tmp_path: Path, shared_work: Path) -> BuildServer:
    """A repository as ``ci init`` makes it, and what builds it; its hub is a folder."""
    repository = tmp_path / "house"
    assert command("ci", "init", "--dir", repository).code == 0
    git(repository, "init", "--quiet")
    assert command("keys", "new", "ci").code == 0
    key = (keys_folder() / "ci.pem").read_text()
    settings = {"WELLREAD_HUB": str(tmp_path / "hub")}
    return BuildServer(repository, tmp_path / "server", shared_work, settings, {"WELLREAD_KEY": key})


def recipe(server: BuildServer, name: str, source: Path, **fields: Any) -> Path:
    (server.repository / "recipes").mkdir(exist_ok=True)
    facts = {"name": name, "aliases": (), "forms": ("onnx",), "examples": ("I love NLP",), **fields}
    made = write_recipe(server.root.parent, source, **facts)
    return made.rename(server.repository / "recipes" / f"{name}.yaml")


@pytest.mark.press
@pytest.mark.heavy
def test_what_changed_is_built_refused_or_published_and_shown(server: BuildServer, module: BuildModule) -> None:
    source, hub = module("huggingface"), Path(server.settings["WELLREAD_HUB"])

    recipe(server, "first", source)
    first = commit(server.repository, "one model")
    jobs = server.run("push", before=ZEROS)
    assert [(job.name, job.result) for job in jobs] == [
        ("changed", "success"), ("build recipes/first.yaml", "success"), ("site", "success")
    ], [job.said for job in jobs]  # fmt: skip
    assert releases(hub, "first") == [1]
    assert (server.deployed / "models/en/first.html").is_file()

    recipe(server, "second", source)
    recipe(server, "wrong", source, goldens=(Golden(level="pooled", ids=(4, 30, 31, 5), first=(9.0, 9.0)),))
    second = commit(server.repository, "two more, one of them wrong")
    jobs = server.run("push", before=first)
    assert {job.name: job.result for job in jobs} == {
        "changed": "success", "build recipes/second.yaml": "success", "build recipes/wrong.yaml": "failure",
        "site": "success",
    }, [job.said for job in jobs]  # fmt: skip
    assert "golden" in next(job.said for job in jobs if job.name.endswith("wrong.yaml"))
    assert (releases(hub, "first"), releases(hub, "second"), releases(hub, "wrong")) == ([1], [1], [])
    shown = {path.name for path in (server.deployed / "models/en").glob("*.html")}
    assert shown == {"first.html", "second.html"}

    recipe(server, "first", source, time=1598344705270)
    commit(server.repository, "the first again, later")
    jobs = server.run("push", before=second)
    assert [job.name for job in jobs] == ["changed", "build recipes/first.yaml", "site"]
    assert (releases(hub, "first"), releases(hub, "second")) == ([1, 1], [1])


@pytest.mark.press
@pytest.mark.heavy
def test_what_others_propose_is_built_and_goes_nowhere(server: BuildServer, module: BuildModule) -> None:
    base = commit(server.repository, "nothing yet")
    recipe(server, "proposed", module("huggingface"))
    commit(server.repository, "a proposal")
    jobs = server.run("pull_request", "refs/pull/1/merge", pull_request={"base": {"sha": base}})
    assert [(job.name, job.result) for job in jobs] == [
        ("changed", "success"), ("build recipes/proposed.yaml", "success")
    ], [job.said for job in jobs]  # fmt: skip
    assert not Path(server.settings["WELLREAD_HUB"]).exists()
    assert not any("WELLREAD_KEY" in given for job in jobs for given in job.environments)


@pytest.mark.press
@pytest.mark.heavy
def test_without_a_hub_the_run_says_so_and_publishes_nowhere(server: BuildServer, module: BuildModule) -> None:
    server.settings.clear()
    recipe(server, "first", module("huggingface"))
    commit(server.repository, "one model")
    (_, build, site) = server.run("workflow_dispatch")
    assert (build.result, site.result) == ("failure", "failure")
    assert "names no hub" in build.said and "names no hub" in site.said
    assert not list(server.root.rglob("hub"))


@pytest.mark.press
@pytest.mark.heavy
def test_a_bucket_needs_the_secrets_and_nothing_else(
    server: BuildServer, module: BuildModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody set, a region for one, GitHub sets to nothing."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    recipe(server, "first", module("huggingface"))
    commit(server.repository, "one model")
    with s3_server() as s3:
        server.settings |= {"WELLREAD_HUB": s3.bucket(), "AWS_ENDPOINT_URL": s3.endpoint}
        server.secrets = {name: s3.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        jobs = server.run("push", before=SOME, forced=True)
        assert [job.result for job in jobs] == ["success"] * 3, [job.said for job in jobs]
        page = (server.deployed / "models/en/first.html").read_text()
    assert f"{s3.endpoint}/hub-0/public/models/first_en" in page
    assert "hush-hush" not in "".join(job.said for job in jobs)
