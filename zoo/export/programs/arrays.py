import json
import sys

import numpy as np

from zoo.export.runners.onnx import load

labels = json.load(open("assets/labels.json"))
ports = json.load(open("export.json"))["graphs"]["model"]["inputs"]
model = load("model")

for file in sys.argv[1:]:
    inputs = np.load(file).astype("float32")  # one input, without the axis of the batch
    given = {"inputs": inputs[None]}
    if len(ports) > 1:
        given["mask"] = np.ones((1, len(inputs)), bool)  # False marks padding, which stands on the right
    probabilities = model(**given)["probabilities"][0]
    best = probabilities.argmax()
    print(f"{labels[best]}\t{probabilities[best]:.3f}")
