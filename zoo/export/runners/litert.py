import numpy as np
from ai_edge_litert.interpreter import Interpreter


def load(name):
    """A graph as a function: arrays by name -> arrays by name. Shorter inputs are padded with zeros."""
    runner = Interpreter(f"{name}.tflite").get_signature_runner()
    shapes = {key: port["shape"] for key, port in runner.get_input_details().items()}

    def run(**inputs):
        for key, array in inputs.items():
            if any(there > size for there, size in zip(array.shape, shapes[key])):
                raise SystemExit(f"{key} has the shape {array.shape}; {name}.tflite reads {shapes[key]} at most.")
            inputs[key] = np.pad(array, [(0, size - there) for there, size in zip(array.shape, shapes[key])])
        return runner(**inputs)

    return run
