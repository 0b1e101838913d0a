import json
import sys

import numpy as np
import onnxruntime

labels = json.load(open("assets/labels.json"))
session = onnxruntime.InferenceSession("model.onnx")

for file in sys.argv[1:]:
    inputs = np.load(file).astype("float32")  # one input, without the axis of the batch
    given = {"inputs": inputs[None]}
    if len(session.get_inputs()) > 1:
        given["mask"] = np.ones((1, len(inputs)), bool)  # False marks padding, which stands on the right
    (probabilities,) = session.run(None, given)
    best = probabilities[0].argmax()
    print(f"{labels[best]}\t{probabilities[0, best]:.3f}")
