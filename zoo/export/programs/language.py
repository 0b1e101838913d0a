import json
import sys

import numpy as np
import tokenizers

from zoo.export.runners.onnx import load

START, END = 2, 3
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
tokenizer.encode_special_tokens = True
facts = json.load(open("export.json"))
sizes = {port["name"]: port["shape"][1] for port in facts["graphs"]["step"]["inputs"][2:]}
step = load("step")
generator = np.random.default_rng(0)

for prompt in sys.argv[1:]:
    ids = [START, *tokenizer.encode(prompt, add_special_tokens=False).ids]
    states = {name: np.zeros((1, size), "float32") for name, size in sizes.items()}
    read = 0
    while read < 300 and ids[read:] != [END]:
        results = step(tokens=np.array([ids[read : read + 1]]), lengths=np.array([1]), **states)
        states = {name: results["new_" + name] for name in states}
        read += 1
        if read == len(ids):  # what is given has been read: write one random token
            scores = results["logits"][0, 0] / 0.8  # the temperature
            scores[facts["suppress_tokens"]] = -np.inf
            ids.append(int((scores + generator.gumbel(size=scores.shape)).argmax()))
    print(tokenizer.decode([i for i in ids if i not in (START, END)], skip_special_tokens=False))
