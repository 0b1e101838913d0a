import json
import sys

import numpy as np
import onnxruntime

labels = json.load(open("assets/labels.json"))
session = onnxruntime.InferenceSession("model.onnx")

for file in sys.argv[1:]:
    steps = np.load(file)  # (time, ...): numbers, or frames with values from 0 to 255
    dtype = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}[session.get_inputs()[0].type]
    given = {"inputs": steps[None].astype(dtype), "lengths": np.array([len(steps)])}
    (probabilities,) = session.run(None, given)
    print(" ".join(labels[i] for i in probabilities[0].argmax(axis=-1)))
