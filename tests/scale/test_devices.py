"""Several devices of one process share each batch: two CPUs in the place of two GPUs."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import keras
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from zoo.cli import cli
from zoo.errors import UserError
common = ["train", "sentiment", "--preset", "tiny", "--dataset", "own.csv", "--epochs", "2", "--no-plot",
          "--batch-size", "16", "--learning-rate", "0.03",  # learned in both epochs: no accuracy turns on rounding
          "--dropout", "0", "--word-dropout", "0", "--embedding-dropout", "0"]  # each device draws its own
for name, devices in (("one", "1"), ("two", "2")):
    cli([*common, "--name", name, "--devices", devices], standalone_mode=False)
try:
    cli([*common, "--name", "many", "--devices", "64", "--batch-size", "64"], standalone_mode=False)
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_two_devices_have_the_curve_of_one(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    rows = [f"{word} film number {number},{word}" for word in ("good", "bad") for number in range(160)]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows]))
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env={**os.environ, **flags})
    assert done.returncode == 0, done.stderr
    assert "--devices 64: this machine has 2" in done.stdout
    one, two = ((tmp_path / "saved_models" / name / "history.csv").read_text().splitlines() for name in ("one", "two"))
    one, two = ([{k: float(v) for k, v in row.items()} for row in csv.DictReader(rows)] for rows in (one, two))
    for mine, theirs in zip(one, two, strict=True):
        assert theirs == pytest.approx(mine, abs=1e-4)
    assert len(one) == 2


GATHERS = """
import re
import jax, keras, numpy as np
from zoo.layers import Recurrent
keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
layer = Recurrent("gru", 3, num_layers=2, bidirectional=True)
inputs, mask = np.ones((8, 7, 5), "float32"), np.ones((8, 7), bool)
layer.build(inputs.shape)
values = [variable.value for variable in layer.trainable_variables]
others = [variable.value for variable in layer.non_trainable_variables]
def loss(values, inputs, mask):
    return (layer.stateless_call(values, others, inputs, mask=mask, training=True)[0] ** 2).sum()
rows = jax.sharding.NamedSharding(
    keras.distribution.distribution().device_mesh.backend_mesh, jax.sharding.PartitionSpec("batch")
)
given = [jax.device_put(array, rows) for array in (inputs, mask)]
text = jax.jit(jax.grad(loss)).lower(values, *given).compile().as_text()
print(sorted(set(re.findall(r" (all-[a-z]+|collective-permute|reduce-scatter)\\(", text))))
"""


def test_devices_send_each_other_gradients_alone() -> None:
    """Rows that a layer reorders by their mask stay where they are: sent whole, they take longer than the step."""
    pytest.importorskip("jax")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", GATHERS], capture_output=True, text=True, env={**os.environ, **flags})
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['all-reduce']"
