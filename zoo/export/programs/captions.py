import json
import sys

import numpy as np
import tokenizers
from PIL import Image

from zoo.export.runners.onnx import load

START, END = 2, 3
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
settings = json.load(open("recipe.json"))["train"]
encoder, step = load("encoder"), load("step")

for file in sys.argv[1:]:
    side = settings["image_size"]
    picture = np.asarray(Image.open(file).convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
    state = encoder(pictures=picture[None])
    written = [START]
    while written[-1] != END and len(written) <= settings["max_length"]:  # greedy search
        results = step(tokens=np.array(written[-1:]), **state)
        written.append(int(results["logits"][0].argmax()))
        state |= {name: results["new_" + name] for name in state if "new_" + name in results}
    print(tokenizer.decode([i for i in written if i not in (START, END)], skip_special_tokens=False))
