"""Files in a bucket and parts in another: moto's server behind a real socket."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.fixtures.s3 import S3, s3_server
from wellread.bulk import local
from wellread.bulk.inputs import listed
from wellread.bulk.output import open_output
from wellread.bulk.plan import Options
from wellread.bulk.run import embed_files
from wellread.errors import BadInput, HubUnavailable, NotFound
from wellread.runtime.model import Model


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


class Bucket:
    """A new bucket, and what lies in it."""

    def __init__(self, s3: S3) -> None:
        self.url, self.client = s3.bucket(), s3.client
        self.name = self.url.removeprefix("s3://")

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    @property
    def keys(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    s3.lead(monkeypatch)
    made = Bucket(s3)
    sink = io.BytesIO()
    parquet.write_table(pa.table({"text": ["hello", "world", "the fox"]}), sink, row_group_size=2)
    made.put("texts/lang=en/a b.parquet", sink.getvalue())
    made.put("texts/b.txt.gz", gzip.compress(b"one\ntwo\n"))
    made.put("texts/_private.txt", b"no")
    made.put("texts.txt", b"other\n")
    return made


def found(bucket: Bucket, given: str) -> list[str]:
    return [file.path.removeprefix(f"{bucket.url}/") for file in listed([f"{bucket.url}{given}"])]


def test_inputs_stand_for_objects_as_for_files(bucket: Bucket) -> None:
    every = ["texts.txt", "texts/b.txt.gz", "texts/lang=en/a b.parquet"]
    for all_of_it in ("", "/", "/**"):
        assert found(bucket, all_of_it) == every
    for folder in ("/texts", "/texts/", "/texts/**", "/texts/**/*"):
        assert found(bucket, folder) == every[1:]
    assert found(bucket, "/texts/lang=*/*.parquet") == found(bucket, "/texts/lang=en/a b.parquet") == every[2:]
    assert found(bucket, "/texts/_private.txt") == ["texts/_private.txt"]
    for nothing in ("/text", "/*.parquet", "/texts/none.txt"):
        with pytest.raises(NotFound, match="no such file"):
            found(bucket, nothing)
    with pytest.raises(HubUnavailable, match="there is no such bucket"):
        listed([f"{bucket.url}-not/texts"])


def test_texts_come_from_one_bucket_and_vectors_go_to_another(bucket: Bucket, s3: S3, model: Model) -> None:
    out, options = Bucket(s3), Options(rows=2)
    summary = embed_files(model, [f"{bucket.url}/texts"], f"{out.url}/here/vectors", options)
    assert (summary.rows, summary.parts, summary.failed) == (5, 3, ())
    parts = [f"here/vectors/part-{name}.parquet" for name in ("00000-00000", "00001-00000", "00001-00001")]
    assert out.keys == ["here/vectors/_SUCCESS", "here/vectors/_plan.json", *parts]
    rows = [row for part in parts for row in parquet.read_table(io.BytesIO(out.get(part))).to_pylist()]
    assert [row["text"] for row in rows] == ["one", "two", "hello", "world", "the fox"]
    for row in rows:
        assert row["embeddings"] == pytest.approx(model.encode(row["text"]).tolist(), abs=2e-6)
    again = embed_files(model, [f"{bucket.url}/texts"], f"{out.url}/here/vectors", options)
    assert (again.parts, again.parts_before) == (0, 3)
    bucket.put("texts/b.txt.gz", gzip.compress(b"one\nthree\n"))
    with pytest.raises(BadInput, match=r"texts/b.txt.gz has changed"):
        embed_files(model, [f"{bucket.url}/texts"], f"{out.url}/here/vectors", options)


def test_an_object_that_changes_meanwhile_is_found_out(bucket: Bucket, model: Model, tmp_path: Any) -> None:
    def meanwhile(*how: Any) -> Any:
        bucket.put("texts/b.txt.gz", gzip.compress(b"one\nsix\n"))
        return local.work(*how)

    summary = embed_files(model, [f"{bucket.url}/texts"], str(tmp_path / "out"), engine=meanwhile)
    (failed,) = summary.failed
    assert "b.txt.gz changed while it was being read" in failed.why
    assert summary.rows == 3


def test_two_runs_at_once_make_the_same_parts(bucket: Bucket, s3: S3, model: Model) -> None:
    out, options = Bucket(s3), Options(rows=2)

    def meanwhile(*how: Any) -> Any:
        assert embed_files(model, [f"{bucket.url}/texts"], out.url, options).parts == 3
        return local.work(*how)

    assert embed_files(model, [f"{bucket.url}/texts"], out.url, options, meanwhile).rows == 5
    assert len(out.keys) == 5


def test_two_runs_at_once_never_mix_two_plans(bucket: Bucket, s3: S3, model: Model) -> None:
    out, texts = Bucket(s3), [f"{bucket.url}/texts"]

    def meanwhile(*how: Any) -> Any:
        with pytest.raises(BadInput, match="rows was 2, not 1"):  # no part is there yet
            embed_files(model, texts, out.url, Options(rows=1))
        return local.work(*how)

    assert embed_files(model, texts, out.url, Options(rows=2), meanwhile).parts == 3
    place, plan = open_output(out.url), out.get("_plan.json")
    place.write("_plan.json", plan)  # the same again is nothing new
    with pytest.raises(BadInput, match="another run is writing"):
        place.write("_plan.json", b"other", before=b"something else")
    assert out.get("_plan.json") == plan


def test_where_a_part_is_missing_a_bucket_is_not_finished(bucket: Bucket, s3: S3, model: Model) -> None:
    out, texts = Bucket(s3), [f"{bucket.url}/texts.txt"]

    def meanwhile(*how: Any) -> Any:
        assert out.keys == ["here/_plan.json"]
        return local.work(*how)

    embed_files(model, texts, f"{out.url}/here")
    out.client.delete_object(Bucket=out.name, Key="here/part-00000-00000.parquet")
    embed_files(model, texts, f"{out.url}/here", engine=meanwhile)
    assert out.keys == ["here/_SUCCESS", "here/_plan.json", "here/part-00000-00000.parquet"]
