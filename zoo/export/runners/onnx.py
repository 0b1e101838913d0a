import onnxruntime


def load(name):
    """A graph as a function: arrays by name -> arrays by name."""
    session = onnxruntime.InferenceSession(f"{name}.onnx")
    names = [port.name for port in session.get_outputs()]
    return lambda **inputs: dict(zip(names, session.run(names, inputs)))
