"""How big and how fast the forms of a model are, on the machine at hand.

A form is opened several times, its file in the system's cache, and the median counts. Then it reads ``TEXTS``, from a
word to a paragraph, as ``Model.encode`` batches them; the tokens are those that go in, ``[CLS]`` and ``[SEP]`` among
them and padding not, and again the median counts. So the figures are what a user of the model sees, and no best case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import perf_counter

from wellread.registry.artifact.manifest import members_of
from wellread.registry.records import Benchmark, Manifest
from wellread.runtime.folder import open_tokeniser
from wellread.runtime.forms import runs_here
from wellread.runtime.model import Model

OPENED = 5
READ = 5
TEXTS = (
    "Rain.",
    "Good morning!",
    "Where is the station?",
    "She sold the boat last week.",
    "The bread is still warm, take two.",
    "Nobody had told the pianist that the concert was moved to Thursday.",
    "A letter without a stamp takes nine days, if it comes at all.",
    "Our neighbour keeps bees on the roof and gives every child of the street a jar of honey in June.",
    "The museum closes at six; whoever comes after half past five pays nothing, but sees only the ground floor.",
    "Prices rose by 2.4 % in March, less than the bank had feared, and wages by a little more than that.",
    "When the river froze, which happened about once in ten years, the whole town went out on the ice, lit fires "
    "in iron baskets, and danced there until the watchman rang his bell.",
    "To replace the filter, turn off the water, hold a bucket under the housing and loosen it by hand. Wipe the seal, "
    "put in the new cartridge with its arrow pointing up, and tighten the housing until it stops. If it drips, open it "
    "again and look whether the seal lies flat: a hair or a grain of sand is enough to keep it from closing.",
    "The committee met four times before the summer. It heard the two builders, the owner of the mill and a teacher "
    "who had measured the stream every day for eleven years. Their accounts agreed on nearly everything: the dam was "
    "sound, the meadow below it was wet, and the road would have to be raised by at least a metre. They differed about "
    "money. The builders counted on stone from the old quarry, which the owner of the mill believed to be his; the "
    "teacher thought that gravel would do, and that the frogs would be grateful.",
)
"""Written for this; long and short, with numbers and marks, in the plain language that every vocabulary covers."""


def measure(folder: Path, manifest: Manifest, forms: Iterable[str]) -> tuple[Benchmark, ...]:
    """The figures of those ``forms`` of the model unpacked in ``folder`` that run here; others are passed over."""
    return tuple(_measured(folder, manifest, form) for form in forms if runs_here(form))


def _measured(folder: Path, manifest: Manifest, form: str) -> Benchmark:
    lengths = {text: len(read.ids) for text, read in zip(TEXTS, open_tokeniser(folder)(TEXTS), strict=True)}
    texts = [text for text in TEXTS if lengths[text] <= manifest.max_length]
    model = Model(folder, manifest, form)
    read = _seconds(lambda: model.encode(texts, progress=False), READ)
    return Benchmark(
        form=form,
        size=sum(member.size for member in members_of(manifest, form)),
        load=round(_seconds(lambda: Model(folder, manifest, form), OPENED), 4),
        speed=round(sum(lengths[text] for text in texts) / read, 1),
        threads=model.info()["threads"],
    )


def _seconds(work: Callable[[], object], times: int) -> float:
    """The median of so many runs, after one that does not count."""
    work()
    taken = []
    for _ in range(times):
        started = perf_counter()
        work()
        taken.append(perf_counter() - started)
    return median(taken)
