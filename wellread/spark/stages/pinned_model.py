"""The model of a stage: loaded on the driver, pinned in the stage's parameters, opened again in the workers.

    pretrained("small_bert_L8_512")   one load, every byte and the goldens checked; its release and form are pinned
    save, load                        hub, name, language, release and form are saved, never the weights
    transform                         the model is shipped to wherever the tasks run

So a pipeline that was loaded gives the same vectors as the one that was saved, whatever a hub has published since.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import TypeConverters
from pyspark.sql import SparkSession

from wellread import loader
from wellread.errors import BadInput, HubUnavailable, NotFound
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.stores import is_local
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.stages.params import Accessors, parameter

if TYPE_CHECKING:
    from wellread.runtime.model import Model

S = TypeVar("S", bound="PinnedModel")
_OF_A_HUB = ("name", "lang", "hub", "folder", "version")
_PINS = ("hub", "folder", "version", "path", "device")


class PinnedModel(Accessors):
    """Which model a stage runs."""

    DEFAULT_NAME = "small_bert_L2_768"

    name = parameter("name", "the model's name", TypeConverters.toString)
    lang = parameter("lang", "the model's language", TypeConverters.toString)
    hub = parameter("hub", "the hub that it came from", TypeConverters.toString)
    folder = parameter("folder", "the folder of the hub", TypeConverters.toString)
    version = parameter("version", "its release", TypeConverters.toString)
    path = parameter("path", "the artifact that it was opened from, instead of a hub", TypeConverters.toString)
    form = parameter("form", "the form that runs, such as onnx or onnx-int8", TypeConverters.toString)
    device = parameter("device", "what it runs on: cpu, cuda, cuda:1", TypeConverters.toString)
    dimension = parameter("dimension", "the length of a vector", TypeConverters.toInt)
    storageRef = parameter("storageRef", "what the vectors are called in a column's metadata", TypeConverters.toString)

    _model: Model | None = None

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
        """The stage's model, opened on the driver. Raises BadInput where none was given, else as ``pretrained``."""
        model, form = self._model, str(self.getForm())
        if model is None or model.form != form:
            self._pin(model := self._opened(form))
        return model

    def setForm(self: S, value: str) -> S:
        """Run another form of the same release: "onnx", "onnx-int8", "fastest"."""
        return self._pin(self._opened(value))

    def setDimension(self: S, value: int) -> S:
        """Spark NLP's setter: the model knows it, so any other number is refused. Raises BadInput."""
        if value != self.getDimension():
            raise BadInput(f"the vectors of {self.getStorageRef()} have {self.getDimension()} components, not {value}")
        return self

    def shipped(self, session: SparkSession) -> Shipped:
        """The model on its way to the workers of a session."""
        return ship(self.getModel(), session)

    def _pin(self: S, model: Model) -> S:
        _, arguments, options = model.origin.reopen
        pins = dict(options) if "version" in options else {"path": str(arguments[0]), "device": options.get("device")}
        for name in _PINS:
            self.clear(getattr(self, name))
        self._set(**{name: _lasting(name, pins[name]) for name in _PINS if pins.get(name) is not None})
        self._set(name=str(model.name), lang=str(model.language), form=model.form, dimension=model.dimension)
        self._setDefault(storageRef=str(model.name))
        model.close()  # its memory: the workers compute
        self._model = model
        return self

    def _opened(self, form: str) -> Model:
        device = str(self.getDevice() or "cpu")
        if self.isSet("path"):
            return loader.open(str(self.getOrDefault("path")), form, device=device)
        if not self.isSet("version"):
            stage = type(self).__name__
            raise BadInput(f'{stage} has no model: begin with {stage}.pretrained("{self.DEFAULT_NAME}", "en")')
        name, lang, hub, folder, version = (str(self.getOrDefault(param)) for param in _OF_A_HUB)
        at = Path(hub) if is_local(hub) else hub
        try:
            return loader.pretrained(name, lang, hub=at, form=form, version=version, folder=folder, device=device)
        except (NotFound, HubUnavailable) as error:
            told = f"{type(self).__name__} is pinned to {version} in {hub}: if that has moved, setHub(…) of the stage"
            error.args = (f"{error}\n{told}",)  # the same error keeps its cause
            raise


def _lasting(name: str, value: Any) -> str:
    """A pin that holds in another working folder too."""
    on_disk = name in ("hub", "path") and is_local(value) and "://" not in str(value)
    return str(Path(value).expanduser().absolute()) if on_disk else str(value)


def _place(remote_loc: str | None) -> dict[str, Any]:
    """Spark NLP's ``remote_loc`` as ours."""
    if remote_loc is None:
        return {"folder": DEFAULT_FOLDER}
    is_folder = "://" not in remote_loc and not remote_loc.startswith(("/", ".", "~"))
    return {"folder": remote_loc} if is_folder else {"hub": remote_loc}
