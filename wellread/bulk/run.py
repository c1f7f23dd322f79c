"""A run: from inputs to a folder of parts. ``wellread.bulk`` draws it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from wellread.bulk import local
from wellread.bulk.columns import Unlike, alike, check_fits, schema_of, united, written
from wellread.bulk.inputs import Found, listed
from wellread.bulk.output import PLAN, SUCCESS, Output, open_output, parts_of
from wellread.bulk.plan import Options, Plan, Source, Unit, check_same, units_of, used
from wellread.bulk.rows import BadFile, surveyed, way_out
from wellread.bulk.vectors import added
from wellread.bulk.work import Done
from wellread.errors import BadInput
from wellread.registry.records import Record, decode, encode_pretty
from wellread.runtime.model import Model
from wellread.runtime.progress import progress_bar

Engine = Callable[[Model, Plan, Output, Sequence[Unit]], Iterable[Done]]
"""Does units, in any order and anywhere; ``local.work`` is one."""


class Failed(Record, frozen=True, kw_only=True):
    """A file that could not be read, and why."""

    file: str
    why: str


class Summary(Record, frozen=True, kw_only=True):
    """What a run did: ``parts`` were made by it, ``parts_before`` were there; ``nulls`` of the rows in its own parts
    had no text. ``rows`` counts those of all parts that are there now."""

    output: str
    model: str
    release: str
    form: str
    files: int
    rows: int
    parts: int
    parts_before: int
    nulls: int
    failed: tuple[Failed, ...] = ()


def embed_files(
    model: Model, inputs: Sequence[str], output: str, options: Options | None = None, engine: Engine = local.work
) -> Summary:
    """Make a part for every unit of the files that ``inputs`` stand for, but for those that are there already.

    Files that cannot be read are named in the summary, with no ``_SUCCESS`` then. Raises BadInput where nothing can be
    read, where another run holds the output, and where the output was begun with something else; NotFound where an
    input stands for no file; WellreadError where a part cannot be written, HubUnavailable of a bucket.
    """
    place, options = open_output(output), _checked(options or Options())
    with place.alone() as locked:
        there = parts_of(place)
        found = listed(inputs, place.url)
        plan = _planned(place, model, options, found, bool(there) or not locked)
        units = list(units_of(plan))
        missing = [unit for unit in units if unit.part not in there]
        if missing or any(source.why for source in plan.sources):
            place.remove(SUCCESS)  # of a run before, whose parts are there no longer
        done = list(engine(model, plan, place, missing))
        summary = _summary(place, plan, [unit for unit in units if unit.part in there], done)
        if not summary.failed:
            place.write(SUCCESS, msgspec.json.encode({"rows": summary.rows, "parts": len(units)}) + b"\n")
    if any(each.cut for each in done):
        warnings.warn(
            f"some texts are longer than the {model.manifest.max_length} pieces that {model.name} takes, and cut off "
            "there. --long window reads all of them",
            stacklevel=2,
        )
    return summary


def _checked(options: Options) -> Options:
    """Raises BadInput for options that contradict each other."""
    kept, taken = options.keep or (), added(options)
    if pair := alike(kept):
        twice = f"{pair[0]!r} twice" if pair[0] == pair[1] else f"{pair[0]!r} and {pair[1]!r}, one name to Spark"
        raise BadInput(f"--id names {twice}: name it once")
    if pair := alike(taken):
        raise BadInput(f"--into {options.into!r}: the words have a column {pair[0]!r}: give another name by --into")
    if pair := alike([*kept, *taken]):
        raise BadInput(f"two columns would be called {pair[0]!r}: {way_out(pair[1], options)}")
    if options.rows < 1:
        raise BadInput(f"a part of {options.rows} rows: give 1 or more")
    return options


def _planned(place: Output, model: Model, options: Options, found: Sequence[Found], bound: bool) -> Plan:
    """The plan that lies there, if parts follow it or may by now; else a new one, written down. Raises BadInput."""
    raw = place.read(PLAN) if bound else None
    before = decode(raw, Plan, f"{place.url}/{PLAN}") if raw else None
    if before:
        check_same(before, used(model), options, found, place.url)
    with progress_bar(len(found), None, unit="file") as bar:
        sources = tuple(_sources(before, found, options, bar.update))
    if all(source.why for source in sources):
        raise BadInput("\n".join(source.why for source in sources[:3]))
    schema = before.schema if before and before.rows else written(united(sources, options))
    plan = Plan(model=used(model), options=options, schema=schema, sources=sources)
    if plan != before:
        place.write(PLAN, encode_pretty(plan), raw)
    return plan


def _sources(
    before: Plan | None, found: Sequence[Found], options: Options, tick: Callable[[int], object]
) -> Iterator[Source]:
    """The files in the order of the plan before, if there is one. One without rows may have been mended or removed."""
    now = {file.path: file for file in found}
    known = {source.path: source for source in before.sources} if before else {}
    for path in known or now:
        source, file = known.get(path), now.get(path)
        if source and (file is None or (not source.why and source.stat == file.stat)):
            yield msgspec.structs.replace(source, why="")
        elif file:
            yield _surveyed(file, before, options, tick)


def _surveyed(file: Found, before: Plan | None, options: Options, tick: Callable[[int], object]) -> Source:
    """What is known of a file, and that it goes with the parts that were made by the plan before."""
    try:
        source = surveyed(file, options, added(options))
        if before and before.rows and source.rows:
            check_fits(source, schema_of(before.schema))
        return source
    except (BadFile, Unlike) as error:
        return Source(path=file.path, size=file.size, etag=file.etag, why=str(error))
    finally:
        tick(1)


def _summary(place: Output, plan: Plan, before: Sequence[Unit], done: Sequence[Done]) -> Summary:
    made = [each for each in done if not each.why]
    bad = {plan.sources[each.unit.file].path: each.why for each in done if each.why}
    bad |= {source.path: source.why for source in plan.sources if source.why}
    return Summary(
        output=place.url,
        model=plan.model.name,
        release=plan.model.release,
        form=plan.model.form,
        files=len(plan.sources),
        rows=sum(unit.rows for unit in [*before, *(each.unit for each in made)]),
        parts=len(made),
        parts_before=len(before),
        nulls=sum(each.nulls for each in made),
        failed=tuple(Failed(file=file, why=why) for file, why in sorted(bad.items())),
    )
