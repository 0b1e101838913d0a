import json
import sys

import numpy as np
import tokenizers

from zoo.export.runners.onnx import load

labels = json.load(open("assets/labels.json"))
settings = json.load(open("recipe.json"))["train"]
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
tokenizer.encode_special_tokens = True
model = load("model")

for text in sys.argv[1:]:
    ids = tokenizer.encode(text, add_special_tokens=False).ids or [1]  # 1 is the unknown token
    longest, front = settings["max_length"], round(settings["max_length"] * settings["head_fraction"])
    if len(ids) > longest:  # some from the front and the rest from the end
        ids = ids[:front] + ids[len(ids) - (longest - front) :] if front < longest else ids[:longest]
    probabilities = model(tokens=np.array([ids]))["probabilities"][0]
    best = probabilities.argmax()
    print(f"{labels[best]}\t{probabilities[best]:.3f}")
