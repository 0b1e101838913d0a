"""Measures `zoo evaluate` on a published model, and adds the result to `scripts/measured.json`.

TFDS_DATA_DIR=... python scripts/bench_evaluate.py sentiment-gru-imdb [SPLIT]
"""

import json
import os
import subprocess
import sys

import measured


def main() -> None:
    model, *split = sys.argv[1:]
    command = [sys.executable, "-m", "zoo", "evaluate", model, "--json", *(("--split", *split) if split else ())]
    scores = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    stored = measured.read()
    stored.setdefault("evaluate", {})[" ".join([model, *split])] = {**scores, "cores": os.cpu_count()}
    measured.write(stored)
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
