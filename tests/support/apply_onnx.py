"""Applies an ONNX file to samples by its own runtime, for the python3 of the environment that it is
installed in. usage: apply_onnx.py MODEL SAMPLES.npy RESULTS.npz [VALUE]
RESULTS has OUTPUT/SIZE for each output, of all samples in batches of SIZE, and VALUE, one of the
values within; metadata is printed as JSON. Fails if the file is not as the standard asks for."""

import json
import sys

import numpy as np
import onnx
import onnxruntime

SIZES = (1, 7, 10**6)

path, samples, results = sys.argv[1:4]
onnx.checker.check_model(path, full_check=True)
model = onnx.load(path)
outputs = [output.name for output in model.graph.output]
inside = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
          for name in sys.argv[4:]]
model.graph.output.extend(inside)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
samples = np.load(samples)
found = {}
for size in SIZES:
    batches = [session.run(None, {"samples": samples[begin:begin + size]})
               for begin in range(0, len(samples), size)]
    for name, *parts in zip([*outputs, *sys.argv[4:]], *batches):
        found[f"{name}/{size}" if name in outputs else name] = np.concatenate(parts)
np.savez(results, **found)
json.dump({"producer": model.producer_name, "input": [value.name for value in model.graph.input],
           "documentation": model.doc_string,
           "metadata": {entry.key: entry.value for entry in model.metadata_props}}, sys.stdout)
