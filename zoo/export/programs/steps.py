import json
import sys

import numpy as np

from zoo.export.runners.onnx import load

labels = json.load(open("assets/labels.json"))
ports = json.load(open("export.json"))["graphs"]["model"]["inputs"]
model = load("model")

for file in sys.argv[1:]:
    steps = np.load(file)  # (time, ...): numbers, or frames with values from 0 to 255
    results = model(inputs=steps[None].astype(ports[0]["dtype"]), lengths=np.array([len(steps)]))
    best = results["probabilities"][0, : len(steps)].argmax(axis=-1)
    print(" ".join(labels[i] for i in best))
