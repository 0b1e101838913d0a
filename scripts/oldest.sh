#!/bin/sh
# Tests the oldest versions of the dependencies that pyproject.toml promises.
#
#     scripts/oldest.sh [FOLDER]      FOLDER: where the environment is made; default .oldest. It may be deleted afterwards.
#     PYTHON=python3.10 scripts/oldest.sh
#
# 1. The lower bounds of all dependencies, and of the extras below, become a constraints file: `keras>=3.10` is
#    `keras==3.10`. pip then refuses bounds that contradict each other, such as a numpy that this tensorflow cannot use.
# 2. What is installed must be those versions.
# 3. A selection of the tests runs with them: saved models answer as they did, all cells equal their equations, one
#    training of each kind. About three minutes, and 1 GB of downloads.
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
"$python" scripts/lower_bounds.py --check jax parquet test
# Warnings of old packages about themselves and about later Pythons are not ours: only failures count here.
exec "$python" -m pytest -n "${WORKERS:-2}" -W default --durations=5 \
    tests/test_saved_models.py tests/test_serialization.py tests/test_jax.py tests/cells tests/layers tests/decoding \
    tests/engine tests/data tests/hostile/test_properties.py tests/tasks/test_tasks.py
