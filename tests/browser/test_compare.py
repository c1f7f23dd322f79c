"""Models side by side, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.browser.sites import SITE, search_site, serving_files
from tests.fixtures.browser import Watched
from tests.fixtures.site_rows import make_row
from tests.registry.samples import make_sample, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.pages.machine import model_json
from wellread.registry.artifact.proof import parse_proof
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Proof

pytestmark = pytest.mark.heavy

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of two models with proofs, and one of which only the index line is known."""
    files = {}
    for name, licence in (("one", "MIT"), ("two", HOSTILE)):
        sample = make_sample(tmp_path_factory.mktemp(name), name=name, license=licence)
        proof = _judged_by_the_mean(parse_proof(sample.proof.read_bytes(), "its proof"))
        line = released(name=name, forms=tuple(sample.manifest.forms))
        model = Model(ModelName(name), Lang("en"), (Published(line, (), sample.manifest, proof),))
        files[f"models/en/{name}.json"] = model_json(SITE, model)
    foreign = released(name="foreign", manifest="", manifest_size=0, forms=())
    files["models/en/foreign.json"] = model_json(SITE, Model(foreign.name, foreign.language, (Published(foreign),)))
    with serving_files(search_site([make_row("one"), make_row("two")], files)) as server:
        yield server.url


def _judged_by_the_mean(proof: Proof) -> Proof:
    """The proof, its int8 form compared at two points, of which the first comes nearer to its limit."""
    replace = msgspec.structs.replace
    forms = list(proof.parity.forms)
    (at,) = [place for place, form in enumerate(forms) if form.form == "onnx-int8"]
    (point,) = forms[at].points
    distance = replace(point.distance, max=0.4, min_cosine=0.97, mean_cosine=0.9912)
    near = replace(point, name="layer 1", distance=distance, measure="mean_cosine", limit=0.99)
    forms[at] = replace(forms[at], points=(near, point))
    return replace(proof, parity=replace(proof.parity, forms=tuple(forms)))


def _open(seen: Watched, address: str, query: str) -> Page:
    seen.page.goto(f"{address}/compare.html{query}")
    return seen.page


def _cells(page: Page, label: str) -> list[str]:
    row = page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=label, exact=True))
    return row.locator("td").all_inner_texts()


def test_models_stand_side_by_side_with_what_was_measured(seen: Watched, address: str) -> None:
    page = _open(seen, address, "?models=en/one,en/two")
    expect(page.locator("#status")).to_have_text("2 models.")
    assert page.locator("thead th a:first-child").all_text_contents() == ["one", "two"]
    assert _cells(page, "Measured on") == ["cpu: any"] * 2
    assert _cells(page, "Dimension") == ["32", "32"]
    assert _cells(page, "Licence") == ["MIT", HOSTILE]
    parity = _cells(page, "Parity, nearest to its limit")[0].split("\n")
    assert parity[:2] == [
        "onnx: largest error 1.00e-06 at sequence",
        "onnx-int8: mean cosine 0.991200 at layer 1",
    ]
    assert page.locator("main img").count() == 0


def test_a_model_is_removed_and_another_added(seen: Watched, address: str) -> None:
    page = _open(seen, address, "?models=en/one,en/two")
    page.get_by_role("link", name="Remove one").click()
    expect(page.locator("#status")).to_have_text("1 model.")
    page.fill("#model", "foreign")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("2 models.")
    assert page.url.endswith("?models=en/two,en/foreign")
    assert _cells(page, "Dimension") == ["32", ""]


def test_names_that_are_none_are_said(seen: Watched, address: str) -> None:
    page = _open(seen, address, f"?models=en/one,../secret,javascript:alert(1),{HOSTILE}")
    expect(page.locator("#status")).to_contain_text("1 model. Not here: ../secret, javascript:alert(1)")
    assert page.locator("main img").count() == 0


def test_a_model_that_is_not_there_is_said(seen: Watched, address: str) -> None:
    page = _open(seen, address, "?models=en/one,en/gone")
    expect(page.locator("#status")).to_have_text("1 model. Not here: en/gone.")
    assert ["404" in complaint for complaint in seen.complaints] == [True]
    seen.complaints.clear()


def test_models_that_do_not_fit_are_said(seen: Watched, address: str) -> None:
    names = ["one", "two", *(f"none{number}" for number in range(6))]
    page = _open(seen, address, f"?models={','.join(f'en/{name}' for name in names)}")
    expect(page.locator("#status")).to_contain_text("Left out, for 6 are the most: en/none4, en/none5.")
    seen.complaints[:] = [said for said in seen.complaints if "404" not in said]


def test_without_models_the_page_asks_for_one(seen: Watched, address: str) -> None:
    page = _open(seen, address, "")
    expect(page.locator("#status")).to_contain_text("add one by its name")
    expect(page.locator("#box")).to_be_hidden()
