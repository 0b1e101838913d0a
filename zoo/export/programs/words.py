import json
import sys

import numpy as np
import tokenizers

from zoo.export.runners.onnx import load

labels = json.load(open("assets/labels.json"))
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
model = load("model")

for sentence in sys.argv[1:]:
    words = sentence.split()
    rows = [tokenizer.encode(word, add_special_tokens=False).ids for word in words]
    ids = np.array([[row[0] if row else 1 for row in rows]])  # 1 is the unknown token
    best = model(tokens=ids)["probabilities"][0, : len(words)].argmax(axis=-1)
    print(" ".join(f"{word}/{labels[i]}" for word, i in zip(words, best)))
