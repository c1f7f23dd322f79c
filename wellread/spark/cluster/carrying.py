"""What goes to the workers, in a wrapping that one whose Python has no wellread can open, and complain with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import isroutine
from typing import Any, get_type_hints


def carried(call: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Iterable[Any]]:
    """``call``, a function of one iterator, so wrapped.

    Use it for what goes into ``pandas_udf`` (its type hints are kept), ``mapPartitions`` and the like.
    """
    from pyspark.serializers import CloudPickleSerializer

    from wellread import __version__ as version

    pickled = CloudPickleSerializer().dumps(call)

    def run(batches: Any) -> Iterable[Any]:
        # A function inside a function travels whole, not by its name, so this one needs no wellread to be opened.
        import platform
        import sys

        from pyspark.serializers import CloudPickleSerializer

        try:
            from wellread import __version__

            if __version__ != version:
                raise ImportError(f"it has wellread {__version__}")
            function: Callable[[Any], Iterable[Any]] = CloudPickleSerializer().loads(pickled)
        except (ImportError, AttributeError) as error:
            raise RuntimeError(
                f"Spark's Python worker {sys.executable} on {platform.node()} cannot run wellread {version}: "
                f"{error}.\npip install 'wellread[spark]=={version}' there, or set PYSPARK_PYTHON to a Python "
                "that has it before Spark starts"
            ) from error
        return function(batches)

    hints = _hints(call)
    run.__annotations__ = {"batches": next(iter(hints.values()), Any), "return": hints.get("return", Any)}
    return run


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    """The types of a function, which ``pandas_udf`` goes by; those that only wellread knows cannot travel with it."""
    try:
        found = get_type_hints(call if isroutine(call) else type(call).__call__)
    except NameError:  # types that are there for a type checker only
        return {}
    return {name: Any if "wellread." in repr(kind) else kind for name, kind in found.items()}
