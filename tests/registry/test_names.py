"""Values parsed at the edge: what is taken is written back as it was, what is not is refused with a hint."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.errors import BadInput
from wellread.registry.names import (
    ArtifactName,
    Lang,
    ModelName,
    ReleaseId,
    Version,
    parse_digest,
    parse_folder,
    parse_lang,
    parse_name,
    parse_reference,
)

versions = st.lists(st.integers(0, 999_999_999), min_size=1, max_size=6).map(lambda parts: Version(tuple(parts)))
release_ids = st.builds(ReleaseId, st.none() | versions, st.none() | versions, st.integers(0, 10**15 - 1))
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,40}", fullmatch=True).filter(
    lambda text: text.lower() not in {"con", "prn", "aux", "nul"} and text[:3].lower() not in ("com", "lpt")
)
languages = st.from_regex(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", fullmatch=True)


@given(versions)
def test_a_version_is_written_as_it_was_read(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(st.text(max_size=20))
def test_whatever_parses_as_a_version_is_its_own_text(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert str(Version.parse(text)) == text


@given(release_ids)
def test_a_release_id_is_written_as_it_was_read(release: ReleaseId) -> None:
    assert ReleaseId.parse(str(release)) == release
    assert pickle.loads(pickle.dumps(release)) == release


@given(names, languages, release_ids)
def test_an_artifact_name_is_read_from_the_right(name: str, language: str, release: ReleaseId) -> None:
    artifact = ArtifactName(ModelName(name), Lang(language), release)
    assert ArtifactName.parse(str(artifact)) == artifact
    assert str(artifact) == f"{artifact.stem}.zip"


def test_the_founding_artifact() -> None:
    artifact = ArtifactName.parse("small_bert_L8_512_en_2.6.0_2.4_1598344705269.zip")
    assert artifact.name == "small_bert_L8_512"
    assert artifact.language == "en"
    assert artifact.release == ReleaseId(Version((2, 6, 0)), Version((2, 4)), 1598344705269)


def test_a_missing_version_is_an_empty_part() -> None:
    assert str(ArtifactName.parse("a__b_en__2.4_0.zip").release) == "_2.4_0"


@given(versions, versions)
def test_a_client_admits_what_spark_nlp_admits(client: Version, found: Version) -> None:
    longer = len(found.parts) > len(client.parts)
    assert client.admits(found) == (not longer and not found > client)


def test_versions_are_tuples_and_not_floats() -> None:
    assert Version.parse("3.4.10") > Version.parse("3.4.2")
    assert Version.parse("7.0.0").admits(Version.parse("2.6.0"))
    assert not Version.parse("2.4").admits(Version.parse("2.4.0"))


def test_releases_are_ordered_by_spark_then_library_then_moment() -> None:
    ids = ["_2.4_9", "3.1_2.4_1", "2.10_3.0_1", "2.9_3.0_5", "2.10_3.0_2"]
    ordered = sorted(ids, key=lambda text: ReleaseId.parse(text).order)
    assert ordered == ["_2.4_9", "3.1_2.4_1", "2.9_3.0_5", "2.10_3.0_1", "2.10_3.0_2"]


_REFUSED: list[tuple[Callable[[str], object], str]] = [
    *((parse_name, bad) for bad in ("", "../x", "a/b", "a b", "CON", "nul.txt", "x.", ".x", "é", "a" * 129, "a\n")),
    *((parse_lang, bad) for bad in ("", "e", "EN", "en_US", "en/", "en\n", "../en")),
    *((parse_folder, bad) for bad in ("", "/a", "a/../b", "a//b", "a/", ".a", "a\\b", "a/.b")),
    *((parse_digest, bad) for bad in ("", "0" * 63, "A" * 64, "0" * 64 + "\n")),
    *((Version.parse, bad) for bad in ("", "2.", ".2", "02.4", "2.6.0b1", "-1", "٢", "2.٦", "1.2.3.4.5.6.7")),
    *((ReleaseId.parse, bad) for bad in ("", "2.6.0", "2.6.0_2.4_", "2.6.0_2.4_007", "2.6.0_2.4_١", "a_b_1")),
    *((ArtifactName.parse, bad) for bad in ("x.zip", "a_en_2.6.0_2.4_1", "_en_2.6.0_2.4_1.zip", "a_e_2_2_1.zip")),
]


@pytest.mark.parametrize(("parse", "text"), _REFUSED)
def test_malformed_values_are_refused_and_quoted(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert "is not a" in str(caught.value)


def test_what_is_too_long_or_a_hubs_own_is_refused() -> None:
    assert parse_lang("zh" + "-abcdefgh" * 3 + "-abcde") == "zh" + "-abcdefgh" * 3 + "-abcde"
    with pytest.raises(BadInput, match="not a language code"):
        parse_lang("zh" + "-abcdefgh" * 4)
    for folder in ("index", "aliases/xx", "hub.json", "catalog.jsonl", "Index/models"):
        with pytest.raises(BadInput, match="are the hub's own"):
            parse_folder(folder)
    assert parse_folder("public/index") == "public/index"


@pytest.mark.parametrize("text", ["en.embed bert", "../x", "", "a/b", ".a", "a.", "con.bert", "x" * 129, "é"])
def test_a_reference_is_a_key_on_every_system(text: str) -> None:
    with pytest.raises(BadInput, match="not a reference"):
        parse_reference(text)
    assert parse_reference("en.embed.bert.small_L8_512") == "en.embed.bert.small_L8_512"
