"""The parameters that stages share, under Spark NLP's names and with its setters.

Each is a ``Param`` of pyspark.ml, so it is explained, copied, searched and saved as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import Param, Params, TypeConverters

from wellread.errors import BadInput, near_misses

P = TypeVar("P", bound=Params)
MOST = 2**31 - 1
"""The largest number that Spark NLP's parameters hold: Java's."""


def parameter(name: str, doc: str, convert: Callable[[Any], Any] | None = None) -> Param[Any]:
    """A parameter as a class attribute; pyspark makes it each instance's own."""
    return Param(Params._dummy(), name, doc, convert)


def one_of(known: Sequence[str]) -> Callable[[Any], str]:
    """What converts a value that must be one of ``known``, in whatever case. Raises BadInput."""

    def convert(value: Any) -> str:
        asked = str(value).strip().lower()
        if asked not in known:
            raise BadInput(f"{value!r} is not one of {', '.join(known)}.{near_misses(asked, known)}")
        return asked

    return convert


def at_least(least: int) -> Callable[[Any], int]:
    """What converts a whole number of no less than ``least``. Raises TypeError, as pyspark's own converters do."""

    def convert(value: Any) -> int:
        number = TypeConverters.toInt(value)
        if not least <= number <= MOST:
            raise TypeError(f"A number from {least} to {MOST} is expected, not {number}")
        return number

    return convert


def names_of(value: tuple[Any, ...]) -> list[str]:
    """Names given one by one or as a list, as Spark NLP takes both."""
    return list(value[0]) if len(value) == 1 and isinstance(value[0], list | tuple) else list(value)


def set_of(stage: P, **values: Any) -> P:
    """``stage`` with these parameters set. Raises BadInput for a value of another kind than the parameter's."""
    kind = type(stage).__name__
    if unset := [name for name, value in values.items() if value is None]:
        raise BadInput(
            f"{kind}: None is no value of {unset[0]}. Leave the setter out, or stage.clear(stage.{unset[0]})"
        )
    try:
        return stage._set(**values)
    except TypeError as error:
        raise BadInput(f"{kind}: {error}") from error
    except AttributeError as error:  # pyspark 3.5 looks for types that numpy 2 has not, when it is given no text
        told = ", ".join(f"{name}={value!r}" for name, value in values.items())
        raise BadInput(f"{kind}: {told}: a value of another type is expected") from error


class Accessors(Params):
    """Gives every parameter of a class Spark NLP's setter and getter, unless the class has its own.

    ``minLength`` gets ``setMinLength(value)``, which returns the stage, and ``getMinLength()``. A parameter that is a
    list can be set by a list or by its elements one by one.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = [param for param in vars(cls).values() if isinstance(param, Param)]
        for param in own:
            for prefix, made in (("set", _setter(param)), ("get", _getter(param))):
                name = prefix + param.name[0].upper() + param.name[1:]
                if name not in vars(cls):
                    setattr(cls, name, _named(made, name, f"{cls.__name__}.{name}", param.doc))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def _setter(param: Param[Any]) -> Callable[..., Any]:
    if param.typeConverter is TypeConverters.toListString:
        return lambda self, *value: set_of(self, **{param.name: names_of(value)})
    return lambda self, value: set_of(self, **{param.name: value})


def _getter(param: Param[Any]) -> Callable[..., Any]:
    return lambda self: self.getOrDefault(param.name) if self.isDefined(param.name) else None


def _named(function: Callable[..., Any], name: str, place: str, doc: str) -> Callable[..., Any]:
    function.__name__, function.__qualname__, function.__doc__ = name, place, doc
    return function


class HasInputCols(Accessors):
    """``inputCols``: the columns of annotations that a stage reads, in any order."""

    inputCols = parameter("inputCols", "the columns of annotations to read, in any order", TypeConverters.toListString)


class HasOutputCol(Accessors):
    """``outputCol``: the column that a stage adds."""

    outputCol = parameter("outputCol", "the column to add", TypeConverters.toString)


class HasLazyAnnotator(Accessors):
    """``lazyAnnotator``: kept for Spark NLP's pipelines; Spark is lazy in any case."""

    lazyAnnotator = parameter("lazyAnnotator", "without effect: Spark is lazy anyway", TypeConverters.toBoolean)
