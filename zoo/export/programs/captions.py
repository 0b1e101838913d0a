import json
import sys

import numpy as np
import onnxruntime
import tokenizers
from PIL import Image

START, END = 2, 3
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
settings = json.load(open("recipe.json"))["train"]
encoder, step = (onnxruntime.InferenceSession(f"{name}.onnx") for name in ("encoder", "step"))
names = [port.name for port in encoder.get_outputs()]

for file in sys.argv[1:]:
    side = settings["image_size"]
    picture = np.asarray(Image.open(file).convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
    state = dict(zip(names, encoder.run(None, {"pictures": picture[None]})))
    written = [START]
    while written[-1] != END and len(written) <= settings["max_length"]:  # greedy search
        results = step.run(None, {"tokens": np.array(written[-1:]), **state})
        results = dict(zip([port.name for port in step.get_outputs()], results))
        written.append(int(results["logits"][0].argmax()))
        state |= {name: results["new_" + name] for name in names if "new_" + name in results}
    print(tokenizer.decode([i for i in written if i not in (START, END)], skip_special_tokens=False))
