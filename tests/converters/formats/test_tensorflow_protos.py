"""The schema, beside the descriptors that TensorFlow itself carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from wellread.converters.formats.tensorflow_protos import _MESSAGES, parse

pytestmark = pytest.mark.press

_TENSORFLOW = {
    "BundleHeader": "BundleHeaderProto",
    "BundleEntry": "BundleEntryProto",
    "TensorShape": "TensorShapeProto",
    "Dim": "TensorShapeProto.Dim",
    "TrackableObjectGraph": "TrackableObjectGraph",
    "TrackableObject": "TrackableObjectGraph.TrackableObject",
    "SerializedTensor": "TrackableObjectGraph.TrackableObject.SerializedTensor",
    "SavedModel": "SavedModel",
    "MetaGraph": "MetaGraphDef",
    "MetaInfo": "MetaGraphDef.MetaInfoDef",
    "Graph": "GraphDef",
    "FunctionLibrary": "FunctionDefLibrary",
    "Function": "FunctionDef",
    "Node": "NodeDef",
    "NodeAttribute": "NodeDef.AttrEntry",
    "AttributeValue": "AttrValue",
    "Tensor": "TensorProto",
    "SavedObjectGraph": "SavedObjectGraph",
    "SavedObject": "SavedObject",
    "Child": "TrackableObjectGraph.TrackableObject.ObjectReference",
    "SavedFunction": "SavedFunction",
    "NamedConcreteFunction": "SavedObjectGraph.ConcreteFunctionsEntry",
    "ConcreteFunction": "SavedConcreteFunction",
    "Structure": "StructuredValue",
    "Sequence": "ListValue",
}
_PROGRAM = """
import json, sys
from google.protobuf import descriptor, descriptor_pool
from tensorflow.core.protobuf import saved_model_pb2, tensor_bundle_pb2, trackable_object_graph_pb2

kinds = {getattr(descriptor.FieldDescriptor, name): name[5:].lower() for name in dir(descriptor.FieldDescriptor)
         if name.startswith("TYPE_")}
pool = descriptor_pool.Default()
print(json.dumps({name: {field.number: [kinds[field.type], field.is_repeated, field.message_type.full_name if
                         field.message_type else ""] for field in
                         pool.FindMessageTypeByName("tensorflow." + name).fields} for name in json.load(sys.stdin)}))
"""


def test_numbers_and_types_are_those_of_tensorflow() -> None:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    names = json.dumps(list(_TENSORFLOW.values()))
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, input=names, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-3000:]
    truth = json.loads(done.stdout)
    assert set(_MESSAGES) - set(_TENSORFLOW) == {"Empty"}
    for message, fields in _MESSAGES.items():
        for field, (number, kind) in fields.items():
            single = kind.removeprefix("repeated ")
            found, repeated, of = truth[_TENSORFLOW[message]][str(number)]
            assert repeated == (single != kind), f"{message}.{field}"
            if single in _MESSAGES:
                assert found == "message", f"{message}.{field}"
                same = {f"tensorflow.{_TENSORFLOW.get(single)}", "tensorflow.TupleValue", "tensorflow.TensorSliceProto"}
                assert of in same or single == "Empty", f"{message}.{field}"
            else:
                assert found == single or (found, single) == ("enum", "int32"), f"{message}.{field}"


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read as TensorFlow's SavedModel"):
        parse("SavedModel", b"\xff\xff")
