"""The model of a stage: loaded on the driver, pinned in the stage's parameters, opened again in the workers.

    pretrained("small_bert_L8_512")   one load, every byte and the goldens checked; its release and form are pinned
    save, load                        hub, name, language, release and form are saved, never the weights
    transform                         the model is shipped to wherever the tasks run
    setName, setForm, setDevice, …    another model is meant: it is opened and pinned at the next use

So a pipeline that was loaded gives the same vectors as the one that was saved, whatever a hub has published since.
To save is a use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable, MLWriter
from pyspark.sql import SparkSession

from wellread import loader
from wellread.errors import BadInput
from wellread.registry.names import DEFAULT_FOLDER, parse_lang, parse_name
from wellread.request import parse_form
from wellread.runtime.device import parse_device
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.stages.meant_model import of_a_file, of_a_hub
from wellread.spark.stages.params import Accessors, parameter

if TYPE_CHECKING:
    from wellread.runtime.model import Model

S = TypeVar("S", bound="PinnedModel")
_PINS = ("hub", "folder", "version", "path", "device")
_MEANT = ("name", "lang", "form", *_PINS)
"""The parameters that say which model is meant, and on what it runs."""


def _told(parse: Callable[[str], object]) -> Callable[[Any], str]:
    """What converts a text that ``parse`` takes. Raises what that raises."""
    return lambda value: str(parse(TypeConverters.toString(value)))


def _lasting(value: Any) -> str:
    """A hub or an artifact by what holds in another working folder too."""
    place = str(value) if isinstance(value, Path) else TypeConverters.toString(value)
    return place if "://" in place else str(Path(place).expanduser().absolute())


class PinnedModel(Accessors, DefaultParamsReadable[Any], DefaultParamsWritable):
    """Which model a stage runs."""

    DEFAULT_NAME = "small_bert_L2_768"

    name = parameter("name", "the model's name", _told(parse_name))
    lang = parameter("lang", "the model's language", _told(parse_lang))
    hub = parameter("hub", "the hub that it came from", _lasting)
    folder = parameter("folder", "the folder of the hub", TypeConverters.toString)
    version = parameter("version", "its release", TypeConverters.toString)
    path = parameter("path", "the artifact that it was opened from, instead of a hub", _lasting)
    form = parameter("form", "the form that runs, such as onnx or onnx-int8", _told(parse_form))
    device = parameter("device", "what it runs on: cpu, cuda, cuda:1", _told(parse_device))
    dimension = parameter("dimension", "the length of a vector", TypeConverters.toInt)
    storageRef = parameter("storageRef", "what the vectors are called in a column's metadata", TypeConverters.toString)

    _model: Model | None = None
    _pinned: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def pretrained(
        cls: type[S],
        name: str | None = None,
        lang: str = "en",
        remote_loc: str | None = None,
        *,
        hub: str | Path | None = None,
        form: str = "auto",
        version: str | None = None,
        **options: Any,
    ) -> S:
        """The stage with a published model, as ``wellread.pretrained`` loads it, whose options and errors it has.

        ``remote_loc`` is Spark NLP's: a folder of the hub, such as "public/models", or a hub.
        """
        place = _place(remote_loc)
        if hub is not None:
            place["hub"] = hub
        model = loader.pretrained(name or cls.DEFAULT_NAME, lang, form=form, version=version, **place, **options)
        return cls.of(model)

    @classmethod
    def of(cls: type[S], model: Model) -> S:
        """The stage with a model that is open already, by ``wellread.pretrained`` or ``wellread.open``."""
        return cls()._pin(model)

    def getModel(self) -> Model:
        """The model that the stage's parameters mean, opened on the driver.

        Raises BadInput where none was given, else as ``pretrained``.
        """
        model = self._model
        if model is None or self._meant() != self._pinned:
            self._pin(model := self._opened())
        return model

    def write(self) -> MLWriter:
        """What saves the stage, with a pin for all that it means."""
        if self._meant() != self._pinned:
            self.getModel()
        return super().write()

    @classmethod
    def load(cls, path: str) -> Any:
        """The stage that was saved; its model is opened when it is first used."""
        stage = super().load(path)
        stage._pinned = stage._meant()
        return stage

    def setDimension(self: S, value: int) -> S:
        """Spark NLP's setter: the model knows it, so any other number is refused. Raises BadInput."""
        model = self.getModel()
        if value != model.dimension:
            raise BadInput(f"the vectors of {model.name} have {model.dimension} components, not {value!r}")
        return self

    def shipped(self, session: SparkSession) -> Shipped:
        """The model on its way to the workers of a session."""
        return ship(self.getModel(), session)

    def _pin(self: S, model: Model) -> S:
        _, arguments, options = model.origin.reopen
        pins = dict(options) if "version" in options else {"path": str(arguments[0]), "device": options.get("device")}
        for name in _PINS:
            self.clear(getattr(self, name))
        self._set(**{name: pins[name] for name in _PINS if pins.get(name) is not None})
        self._set(name=str(model.name), lang=str(model.language), form=model.form, dimension=model.dimension)
        self._setDefault(storageRef=str(model.name))
        model.close()  # its memory: the workers compute
        self._model, self._pinned = model, self._meant()
        return self

    def _meant(self) -> dict[str, str]:
        return {name: str(self.getOrDefault(name)) for name in _MEANT if self.isSet(name)}

    def _opened(self) -> Model:
        meant, stage = self._meant(), type(self).__name__
        if not meant.keys() & {"name", "path"}:
            raise BadInput(f'{stage} has no model: begin with {stage}.pretrained("{self.DEFAULT_NAME}", "en")')
        return (of_a_file if "path" in meant else of_a_hub)(stage, **meant)


def _place(remote_loc: str | None) -> dict[str, Any]:
    """Spark NLP's ``remote_loc`` as ours."""
    if remote_loc is None:
        return {"folder": DEFAULT_FOLDER}
    is_folder = "://" not in remote_loc and not remote_loc.startswith(("/", ".", "~"))
    return {"folder": remote_loc} if is_folder else {"hub": remote_loc}
