"""Choosing: the last compatible, ready release; and what is said when there is none."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, NotFound
from wellread.registry.names import ReleaseId, Version
from wellread.registry.records import Release
from wellread.registry.resolve.choice import choose


def _version(library: str, spark: str = "2.4", time: int = TIME, **fields: Any) -> Release:
    return released(library_version=library, spark_version=spark, time=time, **fields)


RELEASES = [
    _version("2.6.0"),
    _version("2.10.0"),
    _version("2.9.0", time=TIME + 9),
    _version("1.0.0", spark="3.0", time=TIME - 5),
    _version("3.0.0", spark="3.0", language="fr"),
    _version("9.0.0", spark="3.4", folder="clinical/models"),
]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, "1.0.0"),
        ({"spark": Version((2, 4))}, "2.10.0"),
        ({"library": Version((2, 9, 9)), "spark": Version((2, 4, 8))}, "2.9.0"),
        ({"library": Version((2, 6))}, None),
        ({"version": "2.9.0"}, "2.9.0"),
        ({"version": "2.9"}, "2.9.0"),
        ({"version": ">=2.6,<2.10"}, "2.9.0"),
        ({"version": "<2.7, >2"}, "2.6.0"),
        ({"version": f"2.6.0_2.4_{TIME}"}, "2.6.0"),
        ({"version": "2.6.0_2.4_1"}, None),
        ({"version": ">9"}, None),
        ({"lang": "fr"}, "3.0.0"),
        ({"folder": "clinical/models"}, "9.0.0"),
        ({"annotator": "BertSentenceEmbeddings"}, None),
    ],
)
def test_which_release_is_taken(asked: dict[str, Any], chosen: str | None) -> None:
    asked = {"lang": "en"} | asked
    if chosen is None:
        with pytest.raises(NotFound):
            choose(RELEASES, **asked)
    else:
        assert choose(RELEASES, **asked).library_version == chosen


@pytest.mark.parametrize(
    ("engines", "chosen"),
    [((), "3.0.0"), (("onnx", "tensorflow"), "2.7.0"), (("openvino", "tensorflow"), "3.0.0"), (("unk",), None)],
)
def test_the_engine_that_a_client_likes_best_comes_before_the_version(engines: tuple[str, ...], chosen: str) -> None:
    of_engines = [_version("2.6.0"), _version("2.7.0"), _version("3.0.0", engine="tensorflow")]
    if chosen is None:
        with pytest.raises(NotFound, match="none of the releases fits"):
            choose(of_engines, lang="en", engines=engines)
    else:
        assert choose(of_engines, lang="en", engines=engines).library_version == chosen


def test_versions_are_compatible_as_tuples_not_as_floats() -> None:
    found = [_version("3.4.2", spark="3.10"), _version("3.4.10", spark="3.2"), _version("3.4", spark="3")]
    for client, chosen in (((3, 4, 10), "3.4.10"), ((3, 4, 9), "3.4"), ((3, 4), "3.4"), ((7, 0, 0), "3.4.10")):
        library, spark = Version(client), Version((3, 9, 9))
        assert choose(found, lang="en", library=library, spark=spark).library_version == chosen


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), min_size=1, unique=True))
def test_the_greatest_tuple_wins(versions: list[tuple[int, int, int]]) -> None:
    releases = [_version(f"2.{library}", spark=f"3.{spark}", time=time) for spark, library, time in versions]
    best = choose(releases, lang="en")
    spark, library, time = max(versions)
    assert best.id == f"2.{library}_3.{spark}_{time}"
    assert ReleaseId.parse(best.id).order == ((3, spark), (2, library), time)


def test_a_yanked_release_is_had_by_its_id_only_with_the_reason() -> None:
    yanked = _version("2.11.0", state="yanked", why="wrong vocabulary")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose([RELEASES[0], yanked], lang="en") == RELEASES[0]
        for version in (None, "2.11.0", ">2"):
            with pytest.raises(
                NotFound, match=r"2\.11\.0_2\.4_\d+ was yanked: wrong vocabulary. It is still had by its id"
            ):
                choose([yanked], lang="en", version=version)
    with pytest.warns(UserWarning, match="was yanked: wrong vocabulary"):
        assert choose([yanked], lang="en", version=yanked.id) == yanked


def test_a_deprecated_release_warns() -> None:
    with pytest.warns(UserWarning, match="was deprecated: use tiny2"):
        choose([_version("2.6.0", state="deprecated", why="use tiny2")], lang="en")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"lang": "de"}, "not in language 'de'. Available: en, fr"),
        ({"lang": "en", "folder": "private"}, "not in folder 'private'. Available: clinical/models, public/models"),
        ({"lang": "en", "version": "2.7.0"}, f"no release '2.7.0'. Available: 2.6.0_2.4_{TIME}"),
    ],
)
def test_why_nothing_fits(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(NotFound) as caught:
        choose(RELEASES, **asked)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "asked", [{"version": "latest"}, {"version": ">=x"}, {"version": "9" * 5000}, {"folder": "../x"}]
)
def test_what_cannot_be_meant(asked: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        choose(RELEASES, lang="en", **asked)
