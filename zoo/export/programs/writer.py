import json
import os
import sys

import numpy as np
import tokenizers

from zoo.export.runners.onnx import load

START, END = 2, 3
sides = [f"assets/{side}tokenizer.json" for side in ("source_", "target_", "")]
read_by, written_by = (file if os.path.exists(file) else sides[2] for file in sides[:2])
source, target = map(tokenizers.Tokenizer.from_file, (read_by, written_by))
source.encode_special_tokens = True
settings = json.load(open("recipe.json"))["train"]
encoder, step = load("encoder"), load("step")

for text in sys.argv[1:]:
    ids = source.encode(" ".join(text.split()), add_special_tokens=False).ids
    ids = [*ids[: settings["max_length"] - 1], END]
    state = encoder(tokens=np.array([ids]))
    written = [START]
    while written[-1] != END and len(written) <= settings["max_length"]:  # greedy search
        results = step(tokens=np.array(written[-1:]), **state)
        written.append(int(results["logits"][0].argmax()))
        state |= {name: results["new_" + name] for name in state if "new_" + name in results}
    print(target.decode([i for i in written if i not in (START, END)], skip_special_tokens=False))
