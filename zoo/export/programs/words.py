import json
import sys

import numpy as np
import onnxruntime
import tokenizers

labels = json.load(open("assets/labels.json"))
tokenizer = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
session = onnxruntime.InferenceSession("model.onnx")

for sentence in sys.argv[1:]:
    words = sentence.split()
    rows = [tokenizer.encode(word, add_special_tokens=False).ids for word in words]
    ids = np.array([[row[0] if row else 1 for row in rows]])  # 1 is the unknown token
    (probabilities,) = session.run(None, {"tokens": ids})
    print(" ".join(f"{word}/{labels[i]}" for word, i in zip(words, probabilities[0].argmax(axis=-1))))
