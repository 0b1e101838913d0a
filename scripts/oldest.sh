#!/bin/sh
# Tests the oldest versions of the dependencies that pyproject.toml promises.
#
#     scripts/oldest.sh [FOLDER]      # where the environment is made, .oldest by default
#     PYTHON=python3.12 scripts/oldest.sh
#
# 1. The lower bounds of all dependencies, and of the extras below, become a constraints file: `keras>=3.15` is
#    `keras==3.15`. pip then refuses bounds that contradict each other, such as a numpy that this tensorflow cannot use.
# 2. What is installed must be those versions.
# 3. With them, published models answer as they did, layers and readers pass their tests, and every task trains its
#    preset `tiny`. About five minutes on two quiet cores, and 1 GB of downloads.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.oldest}
${PYTHON:-python3} -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --upgrade pip
"$python" scripts/lower_bounds.py jax parquet test >"$folder/constraints.txt"
cat "$folder/constraints.txt"
"$python" -m pip install --quiet --constraint "$folder/constraints.txt" --editable '.[jax,parquet]' \
    pytest pytest-xdist hypothesis
"$python" -m pip check
"$python" scripts/lower_bounds.py --check jax parquet
# Warnings of old packages about themselves are not ours: only failures count here. The documents' charts are drawn by
# one version of matplotlib.
"$python" -m pytest -n "${WORKERS:-2}" -W default --durations=5 \
    --deselect tests/test_saved_models.py::test_documents_match_the_measured_files \
    tests/test_saved_models.py tests/test_saved.py tests/test_serialization.py tests/layers tests/data \
    tests/hostile/test_properties.py
TFDS_DATA_DIR=$(mktemp -d)
export TFDS_DATA_DIR
for task in classify tag charlm sentiment translate caption; do
    "$python" -m zoo train "$task" --preset tiny --no-plot --models-dir "$folder/models" --overwrite
done
rm -r "$TFDS_DATA_DIR"
