"""Checks that every attribute of a model has a type and a value, and that none says what ONNX assumes anyway."""

import json
import sys

import onnx

# Written always: burn-onnx takes its absence for zero.
ALWAYS = {("BatchNormalization", "epsilon")}
FIELDS = {"INT": "i", "FLOAT": "f", "STRING": "s", "TENSOR": "t", "INTS": "ints", "FLOATS": "floats"}


def main(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    opset = model.opset_import[0].version
    written = []
    for node in model.graph.node:
        schema = onnx.defs.get_schema(node.op_type, opset)
        for attribute in node.attribute:
            place = f"{node.name}.{attribute.name}"
            assert attribute.HasField("type"), place
            field = FIELDS[onnx.AttributeProto.AttributeType.Name(attribute.type)]
            assert field in ("ints", "floats") or attribute.HasField(field), f"{place} has no {field}"
            value = onnx.helper.get_attribute_value(attribute)
            default = schema.attributes[attribute.name].default_value
            needed = not default.name or (node.op_type, attribute.name) in ALWAYS
            assert needed or onnx.helper.get_attribute_value(default) != value, f"{place} is the default {value}"
            written.append([node.op_type, attribute.name])
    print(json.dumps(sorted(written)))


main(sys.argv[1])
