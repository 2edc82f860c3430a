"""tritonclient_client.py ADDRESS MODEL IMAGE: the embedding from a running `selfie serve` by the Open Inference Protocol.
Needs tritonclient[http]."""

import json
import sys

import numpy
import tritonclient.http as triton

address, model, path = sys.argv[1:]
client = triton.InferenceServerClient(address.removeprefix("http://"))
with open(path, "rb") as image:
    encoded = numpy.array([image.read()], dtype=object)
name = client.get_model_metadata(model)["inputs"][0]["name"]
entry = triton.InferInput(name, [1], "BYTES")
entry.set_data_from_numpy(encoded)
print(json.dumps(client.infer(model, [entry]).as_numpy("embedding")[0].tolist()))
