"""How a run goes on after one that was stopped, or beside another."""

from __future__ import annotations

import os
from typing import Any

import filelock
import pytest

from tests.bulk.conftest import Run, change_a_file, files
from wellread.bulk import local, work
from wellread.bulk.output import Output
from wellread.bulk.plan import Options, Plan, Unit
from wellread.bulk.run import embed_files
from wellread.errors import BadInput
from wellread.runtime.model import Model


def test_a_second_run_makes_nothing_again(run: Run) -> None:
    run()
    before = files(run.out)
    again = run()
    assert (again.parts, again.parts_before, again.rows) == (0, 4, 11)
    assert files(run.out) == before


def test_a_run_that_was_stopped_goes_on_where_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run.out.with_name("whole")
    run.out, out = whole, run.out
    run()
    run.out = out
    done: list[Unit] = []

    def stop(unit: Unit, *rest: Any) -> work.Done:
        done.append(unit)
        if len(done) == 3:
            raise KeyboardInterrupt
        return work.do(unit, *rest)

    with monkeypatch.context() as stopping:
        stopping.setattr(local, "do", stop)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert run.parts == ["part-00000-00000.parquet", "part-00000-00001.parquet"]
    assert not (run.out / "_SUCCESS").exists()
    (run.out / ".part-00000-00002.parquet.1.ab.tmp").write_bytes(b"begun")
    before = files(run.out)
    assert (run().parts, run.parts) == (2, [path.name for path in sorted(whole.glob("part-*"))])
    after = files(run.out)
    assert {name: after[name] for name in before} == before
    assert {name: data for name, (_, data) in after.items()} == {n: d for n, (_, d) in files(whole).items()}
    assert not list(run.out.glob(".part*"))


def test_a_part_that_was_removed_is_made_again(run: Run) -> None:
    run()
    before = files(run.out)
    (run.out / "part-00000-00001.parquet").unlink()

    def meanwhile(*how: Any) -> Any:
        assert not (run.out / "_SUCCESS").exists()
        return local.work(*how)

    assert embed_files(run.model, [str(run.inputs)], str(run.out), Options(rows=4), meanwhile).parts == 1
    assert (run.out / "_SUCCESS").exists()
    assert {name: data for name, (_, data) in files(run.out).items()} == {n: d for n, (_, d) in before.items()}


def touch_a_file(run: Run) -> None:
    os.utime(run.inputs / "b.txt", ns=(1, 1))


def add_a_file(run: Run) -> None:
    (run.inputs / "c.txt").write_text("more")


def remove_a_file(run: Run) -> None:
    (run.inputs / "b.txt").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_a_file, "b.txt has changed"),
        (touch_a_file, "b.txt has changed"),
        (add_a_file, "c.txt is new"),
        (remove_a_file, "b.txt is gone"),
    ],
)
def test_parts_of_two_states_of_a_file_never_lie_together(change: Any, said: str, run: Run) -> None:
    run()
    before = files(run.out)
    change(run)
    with pytest.raises(BadInput, match=said) as refused:
        run()
    assert "another --output" in str(refused.value)
    assert files(run.out) == before


def test_parts_of_two_ways_never_lie_together(run: Run, model: Model) -> None:
    run()
    others: dict[str, Any] = {"normalize": True, "rows": 5, "keep": ("id",), "output_level": "token"}
    for field, value in others.items():
        with pytest.raises(BadInput, match=f"{field} was .*, not "):
            run(**{field: value})
    run.model = Model(model.path, model.manifest, "onnx")
    run.model.form = "onnx-int8"
    with pytest.raises(BadInput, match="form was onnx, not onnx-int8"):
        run()


def test_a_plan_without_parts_binds_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(local, "do", stop)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert (run.out / "_plan.json").exists()
    assert run(rows=5).parts == 3


def test_a_second_run_at_the_same_time_is_refused(run: Run, model: Model) -> None:
    def meanwhile(model: Model, plan: Plan, output: Output, units: Any) -> Any:
        with pytest.raises(BadInput, match="another run is writing"):
            run()
        return local.work(model, plan, output, units)

    embed_files(model, [str(run.inputs)], str(run.out), engine=meanwhile)
    assert run(Options()).parts == 0


def test_what_a_worker_that_was_killed_had_begun_is_swept(run: Run, model: Model) -> None:
    def meanwhile(*how: Any) -> Any:
        yield from local.work(*how)
        (run.out / ".part-00000-00000.parquet.1.ab.tmp").write_bytes(b"begun")

    embed_files(model, [str(run.inputs)], str(run.out), engine=meanwhile)
    assert not list(run.out.glob(".part*"))


def test_where_there_are_no_locks_it_runs_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)

    def meanwhile(*how: Any) -> Any:
        with pytest.raises(BadInput, match="rows was 4, not 5"):  # no part is there yet
            run(rows=5)
        return local.work(*how)

    assert embed_files(run.model, [str(run.inputs)], str(run.out), Options(rows=4), meanwhile).parts == 4
