"""The few protobuf messages of TensorFlow that a source needs read, with the few fields that matter.

``_MESSAGES`` is the schema: message → field → (number, type). Numbers and types are those of TensorFlow's ``.proto``
files (core/framework, core/protobuf); whatever else a file holds is skipped. The messages live in a descriptor pool
and a package of their own, so that they never meet TensorFlow's in one process. A map is read as what it is on the
wire, a repeated pair of key and value.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_PACKAGE = "wellread.tensorflow"

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    # tensor bundle
    "BundleHeader": {"num_shards": (1, "int32"), "endianness": (2, "int32")},
    "BundleEntry": {
        "dtype": (1, "int32"),
        "shape": (2, "TensorShape"),
        "shard_id": (3, "int32"),
        "offset": (4, "int64"),
        "size": (5, "int64"),
        "crc32c": (6, "fixed32"),
        "slices": (7, "repeated Empty"),
    },
    "TensorShape": {"dim": (2, "repeated Dim"), "unknown_rank": (3, "bool")},
    "Dim": {"size": (1, "int64")},
    "Empty": {},
    # names of a checkpoint's variables
    "TrackableObjectGraph": {"nodes": (1, "repeated TrackableObject")},
    "TrackableObject": {"attributes": (2, "repeated SerializedTensor")},
    "SerializedTensor": {"full_name": (2, "string"), "checkpoint_key": (3, "string")},
    # saved_model.pb
    "SavedModel": {"meta_graphs": (2, "repeated MetaGraph")},
    "MetaGraph": {"info": (1, "MetaInfo"), "graph": (2, "Graph"), "objects": (7, "SavedObjectGraph")},
    "MetaInfo": {"tags": (4, "repeated string")},
    "Graph": {"node": (1, "repeated Node"), "library": (2, "FunctionLibrary")},
    "FunctionLibrary": {"function": (1, "repeated Function")},
    "Function": {"node": (3, "repeated Node")},
    "Node": {
        "name": (1, "string"),
        "op": (2, "string"),
        "input": (3, "repeated string"),
        "attr": (5, "repeated NodeAttribute"),
    },
    "NodeAttribute": {"key": (1, "string"), "value": (2, "AttributeValue")},
    "AttributeValue": {"f": (4, "float"), "tensor": (8, "Tensor")},
    "Tensor": {
        "dtype": (1, "int32"),
        "shape": (2, "TensorShape"),
        "content": (4, "bytes"),
        "float_val": (5, "repeated float"),
        "int_val": (7, "repeated int32"),
        "int64_val": (10, "repeated int64"),
    },
    "SavedObjectGraph": {
        "nodes": (1, "repeated SavedObject"),
        "concrete_functions": (2, "repeated NamedConcreteFunction"),
    },
    "SavedObject": {"children": (1, "repeated Child"), "function": (6, "SavedFunction")},
    "Child": {"node_id": (1, "int32"), "local_name": (2, "string")},
    "SavedFunction": {"concrete_functions": (1, "repeated string")},
    "NamedConcreteFunction": {"key": (1, "string"), "value": (2, "ConcreteFunction")},
    "ConcreteFunction": {"inputs": (3, "Structure")},
    "Structure": {"list": (51, "Sequence"), "tuple": (52, "Sequence"), "dict": (53, "Empty")},
    "Sequence": {"values": (1, "repeated Structure")},
}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "fixed32": _Field.TYPE_FIXED32,
    "bool": _Field.TYPE_BOOL,
    "float": _Field.TYPE_FLOAT,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


def parse(message: str, raw: bytes) -> Any:
    """Read ``raw`` as the message of that name in the table above. Raises ValueError if it is not one."""
    try:
        return _CLASSES[message].FromString(raw)
    except DecodeError as error:
        raise ValueError(f"it cannot be read as TensorFlow's {message}") from error


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="wellread/tensorflow.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    single = kind.removeprefix("repeated ")
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if single != kind else _Field.LABEL_OPTIONAL
    if single in _SCALARS:
        field.type = _SCALARS[single]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{single}"


_CLASSES = _classes()
