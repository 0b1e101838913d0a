import json
import sys

import numpy as np
import tokenizers

from zoo.export.runners.onnx import load

MOST = 24  # characters of a word: half of them from its end if it has more

labels = json.load(open("assets/labels.json"))
of_words = tokenizers.Tokenizer.from_file("assets/tokenizer.json")
of_characters = tokenizers.Tokenizer.from_file("assets/character_tokenizer.json")
model = load("model")

for sentence in sys.argv[1:]:
    words = sentence.split()
    rows = [of_words.encode(word, add_special_tokens=False).ids for word in words]
    ids = np.array([[row[0] if row else 1 for row in rows]])  # 1 is the unknown token
    characters = np.zeros((1, len(words), MOST), "int64")
    for place, word in enumerate(words):
        row = of_characters.encode(word, add_special_tokens=False).ids
        row = row if len(row) <= MOST else row[: MOST // 2] + row[-MOST // 2 :]
        characters[0, place, : len(row)] = row
    best = model(tokens=ids, characters=characters)["probabilities"][0, : len(words)].argmax(axis=-1)
    print(" ".join(f"{word}/{labels[i]}" for word, i in zip(words, best)))
