import json
import sys

import numpy as np
import onnxruntime
import tokenizers

START, END = 2, 3
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
tokenizer.encode_special_tokens = True
never = json.load(open("export.json"))["suppress_tokens"]
session = onnxruntime.InferenceSession("step.onnx")
generator = np.random.default_rng(0)

for prompt in sys.argv[1:]:
    ids = [START, *tokenizer.encode(prompt, add_special_tokens=False).ids]
    states = {port.name: np.zeros((1, port.shape[1]), "float32") for port in session.get_inputs()[2:]}
    new = ids
    while len(ids) < 300 and ids[-1] != END:
        given = {"tokens": np.array([new]), "lengths": np.array([len(new)]), **states}
        logits, *after = session.run(None, given)
        states = dict(zip(states, after))
        scores = logits[0, -1] / 0.8  # the temperature
        scores[never] = -np.inf
        new = [int((scores + generator.gumbel(size=scores.shape)).argmax())]  # one random token
        ids += new
    print(tokenizer.decode([i for i in ids if i not in (START, END)], skip_special_tokens=False))
