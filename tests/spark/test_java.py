"""Which Java is found, and what is said where Spark would not run on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellread.errors import MissingExtra
from wellread.spark.cluster.java import check_java, find_java, version_of


def write_java(home: Path, release: str = "", said: str = "") -> Path:
    """A Java that does nothing but say which it is."""
    (home / "bin").mkdir(parents=True)
    java = home / "bin/java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n", "utf-8")
    java.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="Debian"\nJAVA_VERSION="{release}"\n', "utf-8")
    return java


def test_no_java_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java() is None
    with pytest.raises(MissingExtra, match=rf"JAVA_HOME={tmp_path} has none.*openjdk-17-jre-headless"):
        check_java("4.1.0")
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match="the PATH has none"):
        check_java("4.1.0")


@pytest.mark.parametrize(
    ("spark", "java"), [("3.5.9", "17.0.15"), ("3.5.9", "1.8.0_392"), ("4.3.0", "17.0.15"), ("4.3.0", "21.0.2")]
)
def test_a_java_that_carries_spark_passes(
    spark: str, java: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_java(tmp_path, java)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check_java(spark)


@pytest.mark.parametrize(
    ("spark", "java", "wanted"),
    [("3.5.9", "21.0.2", "8 to 17"), ("3.5.9", "25", "8 to 17"), ("4.3.0", "11.0.2", "17 or later")],
)
def test_one_that_does_not_is_named(
    spark: str, java: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_java(tmp_path, java)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(
        MissingExtra, match=rf"Spark {spark} runs on Java {wanted}, and .* is Java {int(float(java[:2]))}"
    ):
        check_java(spark)


def test_a_java_without_a_release_file_is_asked(tmp_path: Path) -> None:
    assert version_of(write_java(tmp_path / "old", said='openjdk version "1.8.0_392"')) == 8
    assert version_of(write_java(tmp_path / "new", said='openjdk version "25" 2025-09-16')) == 25
    assert version_of(write_java(tmp_path / "strange", said="no idea")) is None


def test_the_javas_of_the_path_may_be_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = write_java(tmp_path / "jdk", "17.0.15")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").symlink_to(java)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = find_java()
    assert found is not None
    assert version_of(found) == 17
