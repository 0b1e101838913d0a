"""What a graph gives, beside what the function that it was made of gives in Keras."""

from types import SimpleNamespace

import numpy as np
import pytest

RANDOM = 7


def shake(net):
    """Weights far from their first values: zeros of biases and ones of gains would hide mistakes."""
    random = np.random.default_rng(RANDOM)
    for weight in net.weights:
        if "float" in str(weight.dtype):
            weight.assign(np.asarray(weight) + 0.1 * random.standard_normal(weight.shape).astype("float32"))
    return net


def run(net, spec, *arrays):
    """The outputs of a graph, and those of the function in Keras."""
    import onnxruntime

    from zoo.export.onnx import nets

    content = nets.build(net, spec).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = {port.name: np.asarray(array, port.dtype) for port, array in zip(spec.inputs, arrays, strict=True)}
    return session.run(None, given), [np.asarray(value) for value in spec.call(*given.values())]


def check(net, spec, *arrays, real=None):
    """Compares all outputs, those over time where `real` `(batch, time)` is True."""
    found, expected = run(net, spec, *arrays)
    for port, one, other in zip(spec.outputs, found, expected, strict=True):
        keep = real if real is not None and one.shape[:2] == real.shape else ...
        assert one.dtype == port.dtype
        np.testing.assert_allclose(one[keep], other[keep], atol=1e-5, err_msg=port.name)
    return expected


@pytest.fixture
def graphs_of():
    """The functions above."""
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'zoo[onnx]'")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")
    return SimpleNamespace(shake=shake, run=run, check=check)
